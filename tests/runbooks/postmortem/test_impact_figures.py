"""Impact: numbers worked out by hand, and honest words where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collectors.errors import DocumentError
from collectors.model import Frame, Tags
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import ImpactInterval, Incident
from runbooks.incidents.states import Severity
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind, MetricReader, figure, scoped
from runbooks.postmortem.impact_loading import load_measures
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000


@pytest.fixture
def incident(make_finding: MakeFinding) -> Incident:
    command = c.Open(
        incident_id="inc-1", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    opened = fold(decide(None, command, T0 + 10_000))
    return replace(opened, impact=(ImpactInterval(start_ms=T0, end_ms=T0 + 100_000),))


def measure(kind: MeasureKind, **changes: Any) -> ImpactMeasure:
    wanted = {
        "id": "m",
        "title": "M",
        "kind": kind,
        "expr": "x,{scope},:and,:sum",
        "unit": "starts",
    }
    return ImpactMeasure(**(wanted | changes))


BUDGET = {"total": "t,{scope},:and", "target": 0.99, "window_s": 10_000.0}
FIGURES = [
    # 3 failures a second for 100 s
    (MeasureKind.INTEGRAL, {}, FlatMetrics(before=0, after=3, onset_ms=T0), 300.0, "300 starts"),
    # 10 a second expected, 4 seen, for 100 s
    (MeasureKind.SHORTFALL, {}, FlatMetrics(before=10, after=4, onset_ms=T0), 600.0, "600 starts"),
    # better than before is no loss
    (MeasureKind.SHORTFALL, {}, FlatMetrics(before=4, after=9, onset_ms=T0), 0.0, "0 starts"),
    # 500 bad of 2 a second x 10,000 s x 1 % = 200 allowed
    (MeasureKind.BUDGET, BUDGET, FlatMetrics(before=2, after=5, onset_ms=T0), 2.5, "250 %"),
]


@pytest.mark.parametrize(("kind", "changes", "metrics", "value", "text"), FIGURES)
def test_figures(
    incident: Incident,
    kind: MeasureKind,
    changes: dict[str, Any],
    metrics: MetricReader,
    value: str,
    text: str,
) -> None:
    """Each row: measure, metrics, the number and how it reads."""
    found = figure(measure(kind, **changes), incident, metrics, T0 + 999_000)
    assert found.value == pytest.approx(value)
    assert found.text == text
    assert "measured 100 %" in found.note


def test_two_intervals_add_up(incident: Incident) -> None:
    """The quiet time between two intervals of impact counts nothing."""
    again = ImpactInterval(start_ms=T0 + 200_000, end_ms=T0 + 250_000)
    twice = replace(incident, impact=(*incident.impact, again))
    metrics = FlatMetrics(before=1, after=1)
    assert figure(measure(MeasureKind.INTEGRAL), twice, metrics, T0).value == pytest.approx(150.0)


class Gaps:
    """Answers with a line of which only a part was measured, or with nothing at all."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        del end_ms
        values = np.array(self.values, dtype=np.float64)
        tags: list[Tags] = [{}] * len(values)
        return Frame(
            start_ms=start_ms + 10_000,
            step_ms=10_000,
            tags=tags,
            labels=[expression],
            values=values,
        )


@pytest.mark.parametrize(
    ("values", "text", "note"),
    [
        ([[1.0, np.nan, 1.0, np.nan]], "20 starts", "measured 50 % of the impact"),
        ([[np.nan, np.nan]], "not known", "nothing was measured"),
        (np.empty((0, 3)), "not known", "nothing was measured"),
        ([[1.0, 2.0], [3.0, np.nan]], "60 starts", "measured 100 %"),
    ],
)
def test_unmeasured_time_is_said_to_be(
    incident: Incident, values: Any, text: str, note: str
) -> None:
    """Gaps are neither up nor down: they are not counted, and how much there was is said."""
    found = figure(measure(MeasureKind.INTEGRAL), incident, Gaps(values), T0)
    assert found.text == text
    assert note in found.note


@pytest.mark.parametrize("kind", list(MeasureKind))
def test_a_broken_expression_is_told(incident: Incident, kind: MeasureKind) -> None:
    """One expression that can't be evaluated costs its own number only."""
    broken = measure(kind, **(BUDGET | {"expr": "broken", "total": "broken"}))
    found = figure(broken, incident, FlatMetrics(), T0)
    assert (found.text, found.value) == ("not known", None)
    assert "can't be evaluated" in found.note


@pytest.mark.parametrize(
    ("regions", "expression"),
    [
        (["eu-west-1"], "cloud.region,(,eu-west-1,),:in"),
        (["a", "b"], "cloud.region,(,a,b,),:in"),
        ([], ":true"),
        (["x,:true,:or"], ":true"),
    ],
)
def test_scope_of_an_expression(
    make_finding: MakeFinding, regions: list[str], expression: str
) -> None:
    """Affected regions become a query; a value that is no plain word can't smuggle words in."""
    findings = [
        make_finding(id=f"f{n}", scope={"cloud.region": region})
        for n, region in enumerate(regions or [None])
        if region
    ] or [make_finding(scope={})]
    command = c.Open(incident_id="i", finding=findings[0], severity=Severity.SEV3, why="")
    events = list(decide(None, command, T0))
    for finding in findings[1:]:
        events += decide(fold(events), c.AddFinding(finding=finding, why=""), T0)
    assert scoped("{scope}", fold(events)) == expression


def test_the_demos_measures_load() -> None:
    """The demo platform's own file is right."""
    here = Path(__file__).parents[3]
    kinds = [found.kind for found in load_measures(here / "demo_stack/ops/impact.yaml")]
    assert kinds == [MeasureKind.INTEGRAL, MeasureKind.SHORTFALL, MeasureKind.BUDGET]


BROKEN = {
    "kind": ("kind: budget", "kind: sum", "measures[0].kind"),
    "target": ("target: 0.9", "target: 1.0", "measures[0].target"),
    "window": ("window_s: 60", "window_s: 0", "measures[0].window_s"),
    "total": ("  total: t\n", "", "measures[0].total"),
    "field": ("title: A", "titel: A", "measures[0].titel"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path: Path, name: str) -> None:
    """File, line and field of the mistake."""
    good = (
        "measures:\n- id: a\n  title: A\n  kind: budget\n  expr: x\n  total: t\n"
        "  target: 0.9\n  window_s: 60\n"
    )
    right, wrong, field = BROKEN[name]
    path = tmp_path / "impact.yaml"
    path.write_text(good.replace(right, wrong))
    with pytest.raises(DocumentError) as caught:
        load_measures(path)
    assert caught.value.field == field
