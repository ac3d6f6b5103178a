"""Severity by what people lose: the machine raises, and to a person it suggests."""

from __future__ import annotations

import pytest

from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.model import Frame
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.suggesting import Suggesting
from runbooks.incidents import commands as c
from runbooks.incidents.states import Severity
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
MEASURE = ImpactMeasure(
    id="failed",
    title="Failed starts",
    kind=MeasureKind.INTEGRAL,
    expr="name,stream.starts,:eq,{scope},:and,:sum",
    unit="starts",
    severities=((Severity.SEV2, 100.0), (Severity.SEV1, 1_000.0)),
)
FLAT = FlatMetrics(before=0.0, after=2.0, onset_ms=T0)  # two starts fail every second


@pytest.fixture
def weighed(desk: IncidentDesk, make_finding: MakeFinding) -> IncidentDesk:
    """A desk whose one incident is a SEV3 by its findings."""
    desk.add_chore(Suggesting(desk.ledger, FLAT, lambda: [MEASURE]).tick)
    desk.receive(
        make_finding(rule="detector/sps", values={}, kind="anomaly", observed=9.0, baseline=10.0)
    )
    desk.tick()
    return desk


def at(desk: IncidentDesk, clock: ManualClock, seconds: int) -> Severity:
    clock.advance_ms(T0 + seconds * 1_000 - clock.now_ms())
    desk.tick()
    return desk.ledger.incident("inc-0001").severity


def test_it_rises_with_what_is_lost(
    weighed: IncidentDesk, clock: ManualClock, recorder: RecordingNotifier
) -> None:
    """Five minutes of a small failure are not two hours of it."""
    assert [at(weighed, clock, s) for s in (45, 80, 400, 600)] == [
        Severity.SEV3,
        Severity.SEV2,
        Severity.SEV2,
        Severity.SEV1,
    ]
    clock.advance_ms(10_000)
    weighed.tick()
    said = [d.text for d in recorder.delivered if d.action is Action.OPEN and d.text]
    assert any("severity rose from SEV3 to SEV2" in text for text in said)
    texts = [e.text for e in weighed.ledger.events("inc-0001") if e.kind.value == "severity_set"]
    assert texts[0].startswith("SEV3 → SEV2: Failed starts: ")


def test_a_person_is_only_told(weighed: IncidentDesk, clock: ManualClock) -> None:
    """Whoever has looked knows more than a number; the number is said all the same, once."""
    weighed.execute("inc-0001", c.SetSeverity(severity=Severity.SEV4, actor="ann"))
    assert [at(weighed, clock, s) for s in (80, 120, 600, 700)] == [Severity.SEV4] * 4
    said = [e.text for e in weighed.ledger.events("inc-0001") if e.kind.value == "said"]
    assert [text.partition(":")[0] for text in said] == [
        "SEV2 is suggested",
        "SEV1 is suggested",
    ]


def test_what_is_not_known_raises_nothing(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A store that can't answer is no outage of that size."""

    class Mute:
        def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
            raise QueryError(f"no data for {expression} from {start_ms} to {end_ms}")

    desk.add_chore(Suggesting(desk.ledger, Mute(), lambda: [MEASURE]).tick)
    desk.receive(make_finding())
    desk.tick()
    before = desk.ledger.incident("inc-0001").severity
    assert at(desk, clock, 900) is before
