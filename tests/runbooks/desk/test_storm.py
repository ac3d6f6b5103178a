"""Thousands of findings at once: few pages, which say what they stand for, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from anomaly.findings import Finding, FindingState, Urgency
from collectors.clock import ManualClock
from collectors.model import Tags
from runbooks.desk.crowds import MAX_NAMED, MAX_NAMED_OF_RULE
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, SetStatus
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action, Delivery
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.room import MakeDesk, MakeFinding

MANY = 1_200
Storm = Callable[[int], tuple[str, Tags]]


def pod(number: int) -> tuple[str, Tags]:
    return "slo/starts/fast", {"service.name": "playback", "pod": f"p{number}"}


def user(number: int) -> tuple[str, Tags]:
    return "slo/starts/fast", {"user.id": f"u{number}"}


def service(number: int) -> tuple[str, Tags]:
    return "slo/starts/fast", {"service.name": f"s{number}"}


def unrelated(number: int) -> tuple[str, Tags]:
    return f"slo/{number}/fast", {"service.name": f"s{number}"}


def storm(make_finding: MakeFinding, clock: ManualClock, of: Storm, turn: int = 0) -> list[Finding]:
    now_ms = clock.now_ms()
    found = []
    for number in range(MANY):
        rule, scope = of(number)
        made = make_finding(
            id=f"{rule}/{number}/{turn}",
            rule=rule,
            scope=scope,
            title=f"starts fail for {number}",
            started_ms=now_ms,
            detected_ms=now_ms,
            updated_ms=now_ms,
        )
        found.append(made)
    return found


def take(desk: IncidentDesk, findings: Sequence[Finding]) -> None:
    for finding in findings:
        desk.receive(finding)
    desk.tick()


def over(findings: Sequence[Finding], clock: ManualClock) -> list[Finding]:
    now_ms = clock.now_ms()
    return [
        replace(f, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)
        for f in findings
    ]


def rings(recorder: RecordingNotifier) -> list[Delivery]:
    return [d for d in recorder.delivered if d.action is Action.OPEN]


def pass_by(desk: IncidentDesk, clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    desk.tick()


@pytest.mark.parametrize(("of", "most"), [(pod, 1), (user, 1), (service, 1), (unrelated, 31)])
def test_many_at_once_are_few_incidents(
    desk: IncidentDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    of: Storm,
    most: int,
) -> None:
    """Each of thousands is an incident with a message of its own, in a channel that takes one a
    second; or they are dropped, and nobody knows how many there were.
    """
    take(desk, storm(make_finding, clock, of))
    assert len(rings(recorder)) <= most
    pass_by(desk, clock, 60_000)
    incidents = desk.ledger.incidents()
    assert len(incidents) <= most
    assert len(rings(recorder)) <= most + 1
    assert sum(len(i.findings) + i.more_firing for i in incidents) == MANY
    assert all(len(i.findings) <= MAX_NAMED for i in incidents)
    assert desk.dropped_findings == 0


def test_the_card_says_what_it_stands_for(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A page names three findings and hides a thousand."""
    take(desk, storm(make_finding, clock, pod))
    assert rings(recorder)[0].card.more_evidence == MANY - 3
    pass_by(desk, clock, 60_000)
    [incident] = desk.ledger.incidents()
    texts = [event.text for event in desk.ledger.events(incident.id)]
    assert any(f"and {MANY - MAX_NAMED_OF_RULE:,} more like" in said for said in texts)


@pytest.mark.parametrize("of", [pod, user, service, unrelated])
def test_what_breaks_next_has_its_own_page(
    desk: IncidentDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    of: Storm,
) -> None:
    """An outage that has nothing to do with the storm disappears in it."""
    take(desk, storm(make_finding, clock, of))
    clock.advance_ms(8_000)
    now_ms = clock.now_ms()
    other = make_finding(
        id="other",
        rule="slo/billing",
        scope={"service.name": "billing"},
        started_ms=now_ms,
        title="Bills fail",
    )
    take(desk, [other])
    assert "Bills fail" in rings(recorder)[-1].card.headline


def test_a_crowd_that_grows_rings(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """People were told of thirty pods, and sleep on when it is a thousand."""
    found = storm(make_finding, clock, pod)
    take(desk, found[:30])
    desk.execute("inc-0001", Acknowledge(actor="ann"))
    pass_by(desk, clock, 60_000)
    take(desk, found[30:])
    pass_by(desk, clock, 60_000)
    assert f"and {MANY - MAX_NAMED_OF_RULE:,} more" in rings(recorder)[-1].text
    assert len(rings(recorder)) == 2


def test_flapping_costs_no_event_each(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Thousands that flap every step fill log and channel, or the incident is over in between."""
    for turn in range(8):
        found = storm(make_finding, clock, pod, turn)
        take(desk, found)
        clock.advance_ms(5_000)
        take(desk, over(found, clock))
        clock.advance_ms(5_000)
    [incident] = desk.ledger.incidents()
    assert incident.status is Status.TRIAGE
    assert incident.seq < 4 * MAX_NAMED_OF_RULE
    assert len(rings(recorder)) <= 2
    pass_by(desk, clock, 60_000)
    after = desk.ledger.incident(incident.id)
    assert after.status is Status.MITIGATED
    assert after.more_seen == 8 * MANY - MAX_NAMED_OF_RULE


def test_it_is_over_when_the_last_is_over(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Recovered as soon as those are over that are named, while a thousand others fail."""
    found = storm(make_finding, clock, pod)
    take(desk, found)
    clock.advance_ms(60_000)
    take(desk, over(found[:-1], clock))
    pass_by(desk, clock, 60_000)
    assert desk.ledger.incident("inc-0001").status is Status.TRIAGE
    take(desk, over(found[-1:], clock))
    pass_by(desk, clock, 60_000)
    assert desk.ledger.incident("inc-0001").status is Status.MITIGATED


@pytest.mark.parametrize(("firing", "status"), [(0, Status.MITIGATED), (MANY, Status.TRIAGE)])
def test_a_restart_knows_the_crowd(
    make_desk: MakeDesk,
    clock: ManualClock,
    make_finding: MakeFinding,
    firing: int,
    status: Status,
) -> None:
    """What is counted only is forgotten by a restart: over too early, or never."""
    found = storm(make_finding, clock, pod)
    before = make_desk()
    take(before, found)
    pass_by(before, clock, 60_000)
    before.ledger.sharing.close()  # it has died
    desk = make_desk()
    take(desk, found[:firing])
    desk.reconcile(found[:firing])
    pass_by(desk, clock, 60_000)
    pass_by(desk, clock, 60_000)
    incident = desk.ledger.incident("inc-0001")
    assert incident.status is status
    assert incident.more_seen == MANY - MAX_NAMED_OF_RULE


def test_a_failing_database_loses_none(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """What was taken in together, and could not be written, is taken for done."""
    with desk.engine.begin() as connection:
        connection.execute(text("ALTER TABLE incident_events RENAME TO elsewhere"))
    take(desk, storm(make_finding, clock, pod))
    assert desk.ledger.incidents() == []
    with desk.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO incident_events"))
    desk.tick()
    pass_by(desk, clock, 60_000)
    [incident] = desk.ledger.incidents()
    assert len(incident.findings) + incident.more_firing == MANY


def test_one_defect_costs_itself(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A finding that nobody can write down takes five hundred others with it."""
    broken = make_finding(id="broken", scope={"service.name": "x"}, observed=object())
    take(desk, [broken, *storm(make_finding, clock, pod)])
    pass_by(desk, clock, 60_000)
    [incident] = desk.ledger.incidents()
    assert len(incident.findings) + incident.more_firing == MANY


def test_a_storm_of_tickets_wakes_nobody(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Thousands that are no page become one, or a decision on record for each."""
    found = storm(make_finding, clock, pod)
    take(desk, [replace(finding, urgency=Urgency.TICKET) for finding in found])
    assert recorder.delivered == []
    decisions = desk.decisions.latest()
    assert len(decisions) < MANY / 10
    assert any("more of its rule" in str(decision["reason"]) for decision in decisions)


def test_resolved_by_a_person_while_the_crowd_fires(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A person resolves it; those that are only counted fire on, and it stays resolved."""
    found = storm(make_finding, clock, pod)
    take(desk, found)
    take(desk, over(found[:600], clock))
    desk.execute("inc-0001", SetStatus(status=Status.RESOLVED, actor="ann"))
    pass_by(desk, clock, 31 * 60_000)
    assert desk.ledger.incident("inc-0001").status is Status.INVESTIGATING
    pass_by(desk, clock, 10_000)
    assert "still firing" in rings(recorder)[-1].text
