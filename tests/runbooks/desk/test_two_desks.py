"""Two processes on one PostgreSQL: one incident, one page, and each knows what the other did."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents import commands as c
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.slack_interactions import Press
from runbooks.notifiers.slack_layout import ACKNOWLEDGE
from tests.runbooks.databases import PostgresServer
from tests.runbooks.room import MakeDesk, MakeFinding

MIN = 60_000


@pytest.fixture
def database(postgresql: PostgresServer) -> str:
    return postgresql.empty_database()


@pytest.fixture
def desks(make_desk: MakeDesk) -> tuple[IncidentDesk, IncidentDesk]:
    """Two, of which the first is on duty."""
    first, second = make_desk(), make_desk()
    first.tick()
    second.tick()
    return first, second


def pages(recorder: RecordingNotifier) -> int:
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def later(desks: tuple[IncidentDesk, IncidentDesk], clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    for desk in desks:
        desk.tick()


def test_one_is_on_duty(desks: tuple[IncidentDesk, IncidentDesk]) -> None:
    """Two that keep time ring twice."""
    first, second = (desk.ledger.sharing for desk in desks)
    assert (first.on_duty(), second.on_duty()) == (True, False)


def test_the_same_finding_of_both_engines(
    desks: tuple[IncidentDesk, IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """Both see the outage; people are rung once, and know it under one number."""
    finding = make_finding()
    for desk in (*desks, *reversed(desks)):
        desk.receive(finding)
        desk.tick()
    later(desks, clock, 1_000)
    assert [[i.id for i in desk.ledger.incidents()] for desk in desks] == [["inc-0001"]] * 2
    assert pages(recorder) == 1


def test_the_same_trouble_under_two_ids(
    desks: tuple[IncidentDesk, IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """Engines that started at different times name a finding differently."""
    for number, desk in enumerate(desks):
        desk.receive(make_finding(id=f"f{number}"))
        desk.tick()
    later(desks, clock, MIN)
    assert len(desks[1].ledger.incidents()) == 1
    assert pages(recorder) == 1


def test_at_the_same_moment(
    desks: tuple[IncidentDesk, IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """Twenty outages told to both at once: twenty incidents with numbers of their own."""
    found = [
        make_finding(id=f"f{n}", rule=f"slo/{n}", scope={"service.name": f"s{n}"})
        for n in range(20)
    ]

    def take_in(desk: IncidentDesk) -> None:
        for finding in found:
            desk.receive(finding)
            desk.tick()

    threads = [threading.Thread(target=take_in, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later(desks, clock, 1_000)
    for desk in desks:
        owners = {f: i.id for i in desk.ledger.incidents() for f in i.findings}
        assert len(owners) == 20
        assert sum(len(i.findings) for i in desk.ledger.incidents()) == 20
    names = {i.id for i in desks[0].ledger.incidents()}
    assert names == {i.id for i in desks[1].ledger.incidents()}
    told = [
        d.card.incident_id for d in recorder.delivered if d.action is Action.OPEN and not d.text
    ]
    assert sorted(told) == sorted(names)


def test_each_knows_what_the_other_did(
    desks: tuple[IncidentDesk, IncidentDesk],
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """A person answers where the browser happens to lead; the page stops ringing."""
    first, second = desks
    finding = make_finding()
    first.receive(finding)
    first.tick()
    second.execute("inc-0001", c.Acknowledge(actor="ann"))
    second.execute("inc-0001", c.Note(text="on it", actor="ann"))
    later(desks, clock, 10 * MIN)
    assert first.ledger.incident("inc-0001").acknowledged_by == "ann"
    assert pages(recorder) == 1
    now_ms = clock.now_ms()
    ended = replace(finding, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)
    second.receive(ended)
    later(desks, clock, 1_000)
    first.tick()
    assert first.ledger.incident("inc-0001").status is Status.MITIGATED
    assert first.ledger.incident("inc-0001") == second.ledger.incident("inc-0001")


def test_a_page_rings_again_once(
    desks: tuple[IncidentDesk, IncidentDesk],
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """Both see that nobody has answered for five minutes."""
    for desk in desks:
        desk.receive(make_finding())
        desk.tick()
    later(desks, clock, 5 * MIN + 1_000)
    later(desks, clock, 1_000)
    assert pages(recorder) == 2


def test_a_button_pressed_at_the_one_without_duty(
    desks: tuple[IncidentDesk, IncidentDesk], make_finding: MakeFinding
) -> None:
    """Slack was told that the press arrived."""
    first, second = desks
    first.receive(make_finding())
    first.tick()
    second.press(Press(key="k", action_id=ACKNOWLEDGE, incident_id="inc-0001", user="ann"))
    second.tick()
    first.tick()
    kinds = [event.kind.value for event in second.ledger.events("inc-0001")]
    assert (kinds.count("acknowledged"), kinds.count("note")) == (1, 0)


def test_the_duty_passes_on(
    desks: tuple[IncidentDesk, IncidentDesk],
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """The one on duty dies with a page in hand: the other looks for it, and sends it once."""
    first, second = desks
    second.receive(make_finding())
    second.tick()
    assert pages(recorder) == 0
    row = first.outbox.claim(clock.now_ms())
    assert row is not None
    first.ledger.sharing.close()
    second.ledger.sharing._looked_s = 0.0
    later((second, second), clock, 1_000)
    later((second, second), clock, 2_000)
    assert pages(recorder) == 1
    assert next(r.state.value for r in second.outbox.rows("inc-0001")) == "sent"


def test_a_lost_session_loses_the_duty(
    desks: tuple[IncidentDesk, IncidentDesk], database: str
) -> None:
    """The database has given the duty away; who thinks to have it still would page twice."""
    first, second = desks
    with second.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND pid <> pg_backend_pid()"
            )
        )
    second.ledger.sharing._looked_s = 0.0
    assert second.ledger.sharing.on_duty()
    first.ledger.sharing._looked_s = 0.0
    assert not first.ledger.sharing.on_duty()


def test_strangers_words_are_cut_to_what_the_database_takes(
    desks: tuple[IncidentDesk, IncidentDesk], make_finding: MakeFinding
) -> None:
    """A NUL or a long name that PostgreSQL refuses would cost the whole command."""
    first, second = desks
    first.receive(make_finding())
    first.tick()
    first.execute("inc-0001", c.Note(text="a\x00b", actor="x" * 150))
    first.tick()
    last = next(e for e in second.ledger.events("inc-0001") if e.kind is EventKind.NOTE)
    assert (last.text, last.actor) == ("a\N{REPLACEMENT CHARACTER}b", "x" * 100)
