"""Every stock inspection by its samples: fires when bad, keeps still when well or unmeasured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from anomaly.arrivals import Arrived
from anomaly.findings import Finding
from anomaly.inspections.inspection import Inspection
from anomaly.inspections.reading import LIBRARY, stock
from anomaly.inspections.rule import InspectionRule
from anomaly.testing import TableDatabase
from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Window
from tests.anomaly.inspections.samples import SAMPLES, Sample

STEP_MS = 60_000
START_MS = 1_700_000_040_000 // STEP_MS * STEP_MS
STEPS = 210
"""Two hours of the past, and as long as the slowest takes to fire."""

BY_NAME = {one.name: one for one in stock()}
Value = Callable[[Sample, float], float | None]


def bad(sample: Sample, hours: float) -> float:
    """Return what a series shows when things are bad."""
    return sample.bad(hours) if callable(sample.bad) else sample.bad


def well(sample: Sample, hours: float) -> float:
    """Return what it shows when they are well."""
    return sample.well(hours) if callable(sample.well) else sample.well


def found(inspection: Inspection, value: Value) -> tuple[list[Finding], dict[str, object]]:
    """Return what an inspection finds in its samples, and its row in the list."""
    database = TableDatabase(STEP_MS)
    places = dict.fromkeys(inspection.group_by, "here")
    for step in range(STEPS):
        time_ms = START_MS + step * STEP_MS
        for sample in SAMPLES[inspection.name]:
            seen = value(sample, step / 60)
            if seen is not None:
                tags = {"name": sample.metric, **places, **sample.tags}
                database.put(tags, time_ms, seen)
    rule = InspectionRule(inspection, STEP_MS)
    window = Window(start_ms=START_MS, end_ms=START_MS + (STEPS - 1) * STEP_MS, step_ms=STEP_MS)
    evaluator = StreamingEvaluator({inspection.expr: inspection.expr}, STEP_MS)
    rule.take(evaluator.advance_window(database, window), Arrived.everything(window))
    known: dict[object, Finding] = {}
    told: list[Finding] = []
    for time_ms, turn in rule.advance(0, STEPS, window.start_ms):
        for report in rule.report(turn, known.get, time_ms=time_ms, detected_ms=time_ms):
            known[report.key] = report.finding
            told.append(report.finding)
    (row,) = rule.view({})()
    return told, row


@pytest.mark.parametrize("name", BY_NAME)
def test_it_fires(name: str) -> None:
    """A typing mistake in a name would mean that nobody is ever told."""
    told, row = found(BY_NAME[name], bad)
    assert told, row
    first, inspection = told[0], BY_NAME[name]
    assert row["state"] == "firing"
    assert inspection.why in first.explanation
    assert inspection.hint in first.explanation
    assert first.urgency is inspection.urgency
    assert first.detected_ms - first.started_ms >= inspection.for_s * 1_000
    assert set(first.scope) == set(inspection.group_by)


@pytest.mark.parametrize("name", BY_NAME)
def test_it_keeps_still_when_all_is_well(name: str) -> None:
    """An inspection that fires on a healthy machine is switched off, and then so are the others."""
    told, row = found(BY_NAME[name], well)
    assert told == []
    assert row["state"] == "ok", row


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_not_measured_is_not_applicable(name: str) -> None:
    """Absence is neither well nor bad."""
    told, row = found(BY_NAME[name], lambda _sample, _hours: None)
    assert told == []
    assert row["state"] == "not applicable"


def test_every_inspection_has_samples_and_a_file_of_its_own() -> None:
    """One without samples may never have fired for anybody."""
    assert set(SAMPLES) == set(BY_NAME)
    assert len(BY_NAME) >= 40
    files = sorted(path.stem for path in LIBRARY.rglob("*.yaml"))
    assert files == sorted(BY_NAME)


def test_every_expression_can_be_read_and_groups_by_its_keys() -> None:
    """Lines that are told apart by a key that the expression drops would be added up."""
    wrong: list[str] = []
    for one in BY_NAME.values():
        parse(one.expr)
        groups: Sequence[str] = one.expr.split(":by")
        last = groups[-2].rsplit("(", 1)[-1] if len(groups) > 1 else ""
        keys = [key for key in last.strip(",)").split(",") if key]
        if keys != list(one.group_by):
            wrong.append(f"{one.name}: {keys} and {one.group_by}")
    assert wrong == []
