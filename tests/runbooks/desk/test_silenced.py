"""What is silenced rings nobody, is on record with the reason, and rings when that is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.findings import Finding, FindingState
from collectors.clock import ManualClock
from collectors.errors import StorageError
from runbooks.alerts.matchers import parse_matchers
from runbooks.alerts.silence import Silence
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.own_fault import own_fault
from tests.runbooks.room import MakeDesk, MakeFinding

MINUTE = 60_000
HOUR = 60 * MINUTE


def take(desk: IncidentDesk, *findings: Finding) -> None:
    for finding in findings:
        desk.receive(finding)
    desk.tick()


def pass_by(desk: IncidentDesk, clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    desk.tick()


def rings(recorder: RecordingNotifier) -> int:
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def over(finding: Finding, clock: ManualClock) -> Finding:
    now_ms = clock.now_ms()
    return replace(finding, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)


def silence(desk: IncidentDesk, *matchers: str, ms: int = HOUR) -> Silence:
    now_ms = desk.clock.now_ms()
    return desk.alerting.silences.put(
        Silence(
            id="",
            matchers=parse_matchers(matchers or ["service_name=playback"]),
            starts_ms=now_ms,
            ends_ms=now_ms + ms,
            updated_ms=now_ms,
            author="ana",
            comment="load test",
        )
    )


def test_a_silenced_finding_is_on_record_and_rings_nobody(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Once, however often it is told of, with who said so and why."""
    made = silence(desk)
    take(desk, make_finding())
    take(desk, make_finding(observed=0.2))
    assert (desk.ledger.incidents(), recorder.delivered) == ([], [])
    [decision] = desk.decisions.latest()
    assert decision["outcome"] == "suppressed"
    assert decision["reason"] == (
        f"silenced by {made.id} until 2023-11-14 23:13:30 UTC "
        '({service_name="playback"} by ana: load test)'
    )


@pytest.mark.parametrize("expired", [True, False])
def test_what_still_fires_rings_when_the_silence_is_over(
    desk: IncidentDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    expired: bool,
) -> None:
    """A silence that outlives its end loses a page."""
    made = silence(desk, ms=20 * MINUTE)
    take(desk, make_finding())
    pass_by(desk, clock, 10 * MINUTE)
    assert rings(recorder) == 0
    if expired:
        desk.alerting.silences.expire(made.id, "bob")
        pass_by(desk, clock, 1_000)
    else:
        pass_by(desk, clock, 10 * MINUTE)
    assert rings(recorder) == 1
    [incident] = desk.ledger.incidents()
    assert [f.id for f in incident.firing] == [make_finding().id]
    assert [row["outcome"] for row in desk.decisions.latest()] == ["opens", "suppressed"]


def test_what_ended_meanwhile_stays_silent(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Nobody is rung for what is over."""
    silence(desk, ms=20 * MINUTE)
    take(desk, make_finding())
    clock.advance_ms(MINUTE)
    take(desk, over(make_finding(), clock))
    pass_by(desk, clock, 30 * MINUTE)
    assert (rings(recorder), desk.ledger.incidents()) == (0, [])


def test_an_open_incident_is_not_rung_again_while_all_of_it_is_silenced(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """That it is withheld is said once."""
    take(desk, make_finding())
    made = silence(desk)
    for _ in range(6):
        pass_by(desk, clock, 5 * MINUTE)
    assert rings(recorder) == 1
    [incident] = desk.ledger.incidents()
    told = [e.text for e in desk.ledger.events(incident.id) if e.kind is EventKind.SUPPRESSED]
    assert len(told) == 1
    assert told[0].startswith(f"rings nobody: silenced by {made.id} until")
    name, value = recorder.delivered[-1].card.fields[0]
    assert (name, value.split(" until")[0]) == ("Rings nobody", f"silenced by {made.id}")
    desk.alerting.silences.expire(made.id, "bob")
    pass_by(desk, clock, 1_000)
    assert rings(recorder) == 2


def test_it_recovers_and_resolves_while_it_is_silenced(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A silence hides a noise, it stops no clock."""
    take(desk, make_finding())
    silence(desk)
    clock.advance_ms(MINUTE)
    take(desk, over(make_finding(), clock))
    pass_by(desk, clock, 10 * MINUTE)
    [incident] = desk.ledger.incidents()
    assert incident.status is Status.RESOLVED


def test_an_incident_with_something_else_rings_on(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """One silenced finding must not hide another."""
    other = make_finding(id="d/1", rule="detector/sps", title="SPS down")
    take(desk, make_finding(), other)
    silence(desk, "alertname=detector/sps")
    pass_by(desk, clock, 5 * MINUTE)
    assert rings(recorder) == 2


def test_a_refire_of_a_resolved_incident_is_held_back(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """It is reopened when the silence is over, not before."""
    take(desk, make_finding())
    [incident] = desk.ledger.incidents()
    clock.advance_ms(MINUTE)
    take(desk, over(make_finding(), clock))
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ana"))
    made = silence(desk)
    clock.advance_ms(MINUTE)
    take(desk, make_finding(updated_ms=clock.now_ms()))
    assert desk.ledger.incident(incident.id).status is Status.RESOLVED
    desk.alerting.silences.expire(made.id, "bob")
    pass_by(desk, clock, 1_000)
    assert desk.ledger.incident(incident.id).is_open
    assert rings(recorder) == 2


def test_what_came_back_unheard_rings_when_the_silence_is_over(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Also where somebody acknowledged what it was before."""
    take(desk, make_finding())
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, Acknowledge(actor="ana"))
    clock.advance_ms(MINUTE)
    take(desk, over(make_finding(), clock))
    made = silence(desk)
    clock.advance_ms(MINUTE)
    again = make_finding(started_ms=clock.now_ms(), updated_ms=clock.now_ms())
    take(desk, again)
    assert rings(recorder) == 1
    desk.alerting.silences.expire(made.id, "bob")
    pass_by(desk, clock, 1_000)
    assert rings(recorder) == 2


def test_a_fault_of_our_own_rings_all_the_same(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """A broad silence must not hide that pages go nowhere."""
    silence(desk, "urgency=page")
    now_ms = clock.now_ms()
    fault = own_fault(
        "own/fault",
        "disk",
        title="tocsin's disk fails",
        explanation="",
        scope={},
        expression="",
        since_ms=now_ms,
        now_ms=now_ms,
    )
    take(desk, fault)
    assert rings(recorder) == 1


def test_a_silence_outlives_the_process(
    make_desk: MakeDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A restart must not wake whoever was promised sleep."""
    first = make_desk()
    silence(first)
    take(first, make_finding())
    first.stop()
    take(make_desk(), make_finding())
    assert rings(recorder) == 0


def test_a_database_that_fails_loses_no_release(
    desk: IncidentDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was to be taken in and could not be is held on to."""
    made = silence(desk)
    take(desk, make_finding())
    desk.alerting.silences.expire(made.id, "bob")

    def fail(*_: object) -> None:
        raise StorageError("locked")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "_commit", fail)
        pass_by(desk, clock, 1_000)
    assert rings(recorder) == 0
    pass_by(desk, clock, 1_000)
    assert rings(recorder) == 1
