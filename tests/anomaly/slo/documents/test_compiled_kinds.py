"""What documents of every kind become: measures, slices, windows, guards, urgency."""

from __future__ import annotations

from datetime import datetime

import pytest

from anomaly.findings import Urgency
from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.counting import Comparison, Measure
from anomaly.slo.documents.compiler import NotHereError, compile_objectives
from anomaly.slo.documents.openslo import read_openslo
from anomaly.slo.objective import Objective
from anomaly.slo.slices import SliceRule
from anomaly.slo.tiers import tiers_of
from collectors.errors import DocumentError

METRIC = "{metricSource: {type: tocsin, spec: {query: 'name,NAME,:eq,:sum'}}}"
GOOD, BAD, TOTAL, VALUE = (METRIC.replace("NAME", name) for name in ("g", "b", "t", "v"))
RATIO = f"ratioMetric: {{counter: true, good: {GOOD}, total: {TOTAL}}}"
ROLLING = "{duration: 12h, isRolling: true}"
GOAL = "{target: 0.999}"


def compiled(
    sli: str = RATIO,
    *,
    window: str = ROLLING,
    method: str = "Occurrences",
    goal: str = GOAL,
    notes: str = "{}",
) -> Objective:
    text = f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: a
  annotations: {notes}
spec:
  service: s
  indicator: {{metadata: {{name: i}}, spec: {{{sli}}}}}
  timeWindow: [{window}]
  budgetingMethod: {method}
  objectives: [{goal}]
"""
    (objective,) = compile_objectives(read_openslo(text, file="x.yaml"))
    return objective


INDICATORS = [
    ("good of all", RATIO, GOAL, ("name,g,:eq,:sum", None, "name,t,:eq,:sum"), Measure.EVENTS),
    (
        "bad of all",
        f"ratioMetric: {{counter: true, bad: {BAD}, total: {TOTAL}}}",
        GOAL,
        (None, "name,b,:eq,:sum", "name,t,:eq,:sum"),
        Measure.EVENTS,
    ),
    (
        "raw success",
        f"ratioMetric: {{raw: {VALUE}, rawType: success}}",
        GOAL,
        (None, None, "name,v,:eq,:sum"),
        Measure.GOOD_SHARE,
    ),
    (
        "raw failure",
        f"ratioMetric: {{raw: {VALUE}, rawType: failure}}",
        GOAL,
        (None, None, "name,v,:eq,:sum"),
        Measure.BAD_SHARE,
    ),
    (
        "threshold",
        f"thresholdMetric: {VALUE}",
        "{target: 0.999, op: lte, value: 0.2}",
        (None, None, "name,v,:eq,:sum"),
        Measure.COMPARED,
    ),
]


@pytest.mark.parametrize(
    ("sli", "goal", "expressions", "measure"),
    [i[1:] for i in INDICATORS],
    ids=[i[0] for i in INDICATORS],
)
def test_indicators(
    sli: str, goal: str, expressions: tuple[str | None, str | None, str], measure: Measure
) -> None:
    """Each of OpenSLO's indicators is what the document says, and not refused."""
    objective = compiled(sli, goal=goal)
    found = (objective.good_expr, objective.bad_expr, objective.total_expr)
    assert (found, objective.measure) == (expressions, measure)
    assert objective.guards.min_bad_events == (5 if measure is Measure.EVENTS else 2)


def test_a_threshold_is_exact() -> None:
    """Otherwise what lies on the limit would be on the wrong side of it."""
    objective = compiled(f"thresholdMetric: {VALUE}", goal="{target: 0.9, op: gt, value: 0.2}")
    assert objective.comparison == Comparison(op="gt", value=0.2)


@pytest.mark.parametrize(("counter", "expected"), [("true", True), ("false", False)])
def test_counters_and_numbers(counter: str, *, expected: bool) -> None:
    """Otherwise events of a step would be taken for events per second."""
    assert compiled(RATIO.replace("true", counter)).counter is expected


@pytest.mark.parametrize(
    ("method", "slices"),
    [
        ("Occurrences", None),
        ("Timeslices", SliceRule(length_s=300, allowed_bad=0.05)),
        ("RatioTimeslices", SliceRule(length_s=300, allowed_bad=None)),
    ],
)
def test_methods(method: str, slices: SliceRule | None) -> None:
    """All three ways to count a budget are taken."""
    goal = "{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}"
    objective = compiled(method=method, goal=goal)
    assert objective.method == method
    if slices is None:
        assert objective.slices is None
        return
    assert objective.slices is not None
    assert objective.slices.length_s == slices.length_s
    assert objective.slices.allowed_bad == pytest.approx(slices.allowed_bad)
    assert {tier.long_s % 300 for tier in tiers_of(objective, 10_000)} == {0}


def test_windows_of_the_calendar() -> None:
    """A month has its real length, in the zone that the document names."""
    calendar = "{startTime: 2026-01-31 12:30:00, timeZone: America/New_York}"
    objective = compiled(window=f"{{duration: 1Q, calendar: {calendar}}}")
    start = datetime.fromisoformat("2026-01-31T12:30:00")
    expected = CalendarWindow(start=start, zone="America/New_York", count=1, unit="Q")
    assert objective.calendar == expected
    assert objective.period_s == 90 * 86_400


@pytest.mark.parametrize(
    "start",
    ["2026-02-30 00:00:00", "2026-13-01 00:00:00", "2026-01-01 24:00:00", "0001-01-01 00:00:00"],
)
def test_a_start_that_is_none_is_refused_at_its_place(start: str) -> None:
    """A slip in a date must not become the day before or after."""
    calendar = f"{{startTime: {start}, timeZone: UTC}}"
    with pytest.raises(DocumentError) as caught:
        compiled(window=f"{{duration: 1M, calendar: {calendar}}}")
    assert caught.value.field == "spec.timeWindow[0].calendar.startTime"
    assert caught.value.line == 9


def test_slices_longer_than_a_tenth_of_the_window_are_refused() -> None:
    """Its windows would hold no slice, and nothing would ever fire."""
    goal = "{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 2h}"
    with pytest.raises(NotHereError, match="a tenth of the window"):
        compiled(method="Timeslices", goal=goal)


def test_who_wakes_nobody_writes_tickets() -> None:
    """A team that pages on what users feel wants to know of the rest in the morning."""
    objective = compiled(notes="{tocsin.dev/urgency: ticket}")
    assert {tier.urgency for tier in tiers_of(objective, 10_000)} == {Urgency.TICKET}
    assert len({tier.name for tier in tiers_of(objective, 10_000)}) == 4


def test_a_number_of_its_own_is_kept() -> None:
    """What the document says is not replaced by what is usual."""
    notes = "{tocsin.dev/min-bad-events: '7'}"
    objective = compiled(f"ratioMetric: {{raw: {VALUE}, rawType: success}}", notes=notes)
    assert objective.guards.min_bad_events == 7
