"""Diagnoses: read before anybody is woken, never in a page's way, and honest about what is late."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Severity
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.postmortem.flat_metrics import FlatMetrics
from tests.runbooks.automation.conftest import Write
from tests.runbooks.room import MakeDesk, MakeFinding

OpenRoom = Callable[..., IncidentDesk]

STEPS = "steps: [{id: look, title: Look, kind: manual}]\n"
DIAGNOSE = """
diagnose:
- {id: load, title: Load, kind: query, query: "name,x,:eq,{scope},:and,:sum"}
- {id: calm, title: Others are calm, kind: check, query: ":true,:sum", expect: "< 1"}
- {id: who, title: Suspects, kind: suspects}
- {id: what, title: Changes, kind: changes}
- {id: moved, title: Moved, kind: differs, query: ":true,:sum"}
- {id: no, title: Broken, kind: query, query: "broken,{nowhere}"}
"""
FOUND = [
    "Load: 2",
    "✗ Others are calm: 2; not as expected (< 1)",
    "Suspects: the traces accuse no service",
    "Changes: no change was announced shortly before",
    "Moved: mean before → since: :true,:sum 0 → 2",
    "✗ Broken: {nowhere} is not known of this incident; say it with nowhere=…",
]
T0 = 1_700_000_000_000


def diagnosed(desk: IncidentDesk, kind: EventKind = EventKind.DIAGNOSED) -> list[str]:
    """Return what the timeline says of the kind."""
    return [e.text for e in desk.ledger.events("inc-0001") if e.kind is kind]


def test_what_is_ready_is_in_the_first_message(
    write: Write, open_room: OpenRoom, recorder: RecordingNotifier
) -> None:
    """Before anybody asks: the results stand in the page itself, and in the timeline."""
    metrics = FlatMetrics(after=2.0, onset_ms=T0)
    desk = open_room(write(DIAGNOSE + STEPS), metrics=metrics)
    first = recorder.delivered[0]
    assert first.action is Action.OPEN
    assert [*first.card.diagnosis] == [*FOUND[:2], *FOUND[4:]]
    assert diagnosed(desk) == ["\n".join(["diagnosis:", *(f"    {line}" for line in FOUND)])]
    scope = "cloud.region,us-east-1,:eq,service.name,playback,:eq,:and"
    assert f"name,x,:eq,{scope},:and,:sum" in metrics.asked


def test_what_is_late_is_said_and_delays_nothing(
    write: Write,
    make_desk: MakeDesk,
    make_finding: MakeFinding,
    clock: ManualClock,
    recorder: RecordingNotifier,
) -> None:
    """The page leaves without it; after ten seconds the message says what was not measured."""
    desk = make_desk(library=[write(DIAGNOSE + STEPS)])
    waiting: list[Callable[[], None]] = []
    desk.automation.runner.spawn = waiting.append
    desk.receive(make_finding())
    desk.tick()
    assert recorder.delivered[0].card.diagnosis[0] == "? Load: still being measured"
    waiting[0]()
    clock.advance_ms(10_000)
    desk.tick()
    assert [line for line in diagnosed(desk)[0].splitlines() if "not measured in time" in line] == [
        f"    ? {title}: not measured in time"
        for title in ("Others are calm", "Suspects", "Changes", "Moved", "Broken")
    ]
    for work in waiting[1:]:
        work()
    desk.tick()
    assert recorder.delivered[-1].card.diagnosis[1] == "? Others are calm: not measured in time"


UNITS = """
diagnose:
- {id: now, title: Now, kind: query, query: "{finding.expression}"}
- {id: load, title: Load, kind: query, query: ":true,:sum", unit: 1/s}
- {id: moved, title: Moved, kind: differs, query: ":true,:sum", unit: s}
"""


def test_values_are_said_in_their_unit(
    write: Write, open_room: OpenRoom, recorder: RecordingNotifier
) -> None:
    """A share of 0.2218 in the message would not be the 22.2 % of the page and the card."""
    open_room(write(UNITS + STEPS), metrics=FlatMetrics(after=0.2218, onset_ms=T0))
    assert [*recorder.delivered[0].card.diagnosis] == [
        "Now: 22.2 %",
        "Load: 0.222/s",
        "Moved: mean before → since: :true,:sum 0 s → 222 ms",
    ]


def test_what_has_no_data_stands_in_one_line(
    write: Write, open_room: OpenRoom, recorder: RecordingNotifier
) -> None:
    """A page at night is not made longer by what nobody measures."""
    nan = float("nan")
    open_room(write(DIAGNOSE + STEPS), metrics=FlatMetrics(before=nan, after=nan))
    assert [*recorder.delivered[0].card.diagnosis] == [
        FOUND[-1],
        "not measured: Load, Others are calm, Moved",
    ]


def test_another_process_knows_what_was_found(
    write: Write, open_room: OpenRoom, make_desk: MakeDesk
) -> None:
    """After a restart the message is drawn with the results of before."""
    runbook = write(DIAGNOSE + STEPS)
    before = open_room(runbook).automation.diagnosis("inc-0001")
    assert make_desk(library=[runbook]).automation.diagnosis("inc-0001") == before
    assert len(before) == 6


CHECKED = "check quiet succeeded: 0; as expected (< 1)"
HELD = """
diagnose:
- {id: quiet, title: Nobody is hurt, kind: check, query: ":true,:sum", expect: "%s"}
suppress_page_when: {step: quiet, reason: A night job, at_most: 5m}
"""


@pytest.fixture
def hold(
    write: Write, make_desk: MakeDesk, make_finding: MakeFinding
) -> Callable[..., IncidentDesk]:
    """Opens an incident whose page is held back if the value is as expected."""

    def make(expect: str, metrics: FlatMetrics | None = None) -> IncidentDesk:
        found = metrics or FlatMetrics(before=0.0, after=0.0)
        desk = make_desk(library=[write(HELD % expect + STEPS)], metrics=found)
        desk.automation.runner.spawn = lambda work: work()
        desk.receive(make_finding())
        desk.tick()
        desk.tick()
        return desk

    return make


def pages(recorder: RecordingNotifier) -> int:
    """Count messages that ring."""
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def test_a_check_holds_a_page_back(
    hold: Callable[..., IncidentDesk], recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """For its time only, with its reason on record; then it rings."""
    desk = hold("< 1")
    for _ in range(29):
        clock.advance_ms(10_000)
        desk.tick()
    assert pages(recorder) == 0
    [page] = [row for row in desk.outbox.rows("inc-0001") if row.action is Action.OPEN]
    assert page.reason.startswith("page held back for 5 min at most: A night job")
    clock.advance_ms(10_000)
    desk.tick()
    assert pages(recorder) == 1
    assert diagnosed(desk, EventKind.SUPPRESSED) == [
        f"page held back for 5 min at most: A night job ({CHECKED})",
        "page rings now: it was held back for 5 min",
    ]


@pytest.mark.parametrize(("expect", "value"), [("< 1", 2.0), ("< 1", float("nan"))])
def test_only_what_is_measured_and_as_written_holds_a_page_back(
    hold: Callable[..., IncidentDesk], recorder: RecordingNotifier, expect: str, value: float
) -> None:
    """A check that failed, or measured nothing, lets the page leave."""
    desk = hold(expect, FlatMetrics(before=value, after=value))
    assert pages(recorder) == 1
    assert diagnosed(desk, EventKind.SUPPRESSED) == []


def test_it_rings_as_soon_as_the_check_no_longer_holds(
    hold: Callable[..., IncidentDesk], recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """It is looked at again all the time."""
    desk = hold("< 1", FlatMetrics(before=0.0, after=2.0, onset_ms=T0 + 60_000))
    clock.advance_ms(40_000)
    desk.tick()
    assert pages(recorder) == 0
    clock.advance_ms(40_000)
    desk.tick()
    assert pages(recorder) == 1
    assert diagnosed(desk, EventKind.SUPPRESSED)[-1] == (
        "page rings now: check quiet no longer succeeded: 2; not as expected (< 1)"
    )


def test_it_rings_when_more_pages(
    hold: Callable[..., IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """What the check was not made for is not held back by it."""
    desk = hold("< 1")
    clock.advance_ms(1_000)
    desk.receive(make_finding(id="slo/other", rule="slo/other/fast", title="Another fails"))
    desk.tick()
    desk.tick()
    assert pages(recorder) == 1
    assert "Another fails pages too" in diagnosed(desk, EventKind.SUPPRESSED)[-1]


def test_it_rings_by_itself_when_nobody_looks_again(
    hold: Callable[..., IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_desk: MakeDesk,
) -> None:
    """A server that dies while it holds a page back loses no page."""
    hold("< 1")
    assert pages(recorder) == 0
    again = make_desk(instead=True, library=[])
    clock.advance_ms(29_000)
    again.tick()
    assert pages(recorder) == 0
    clock.advance_ms(1_000)
    again.tick()
    assert pages(recorder) == 1


def test_what_is_over_is_told(
    hold: Callable[..., IncidentDesk],
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """People find in the morning what was held back."""
    desk = hold("< 1")
    ended = make_finding(state=FindingState.RESOLVED, ended_ms=clock.now_ms())
    desk.receive(ended)
    desk.tick()
    clock.advance_ms(30 * 60_000)
    desk.tick()
    desk.tick()
    assert pages(recorder) == 1
    assert desk.ledger.incident("inc-0001").severity in {*Severity}
