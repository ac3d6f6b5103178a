"""Asking the metrics: values in words, and whether they are what is expected."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from collectors.model import FloatArray, Frame
from runbooks.automation.carrying.situation import Situation
from runbooks.automation.runbook import Expectation, Figure, Step, StepKind
from runbooks.automation.state import JsonValue, Outcome, StepState
from runbooks.automation.variables import in_expression
from tocsin.client.wording import quantity

MAX_LINES_SHOWN = 10
"""Lines of an expression that a step's result shows."""

_BEFORE_MS = 10 * 60_000
_DEFAULT = Expectation(operator=">", value=-math.inf)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def measure(step: Step, situation: Situation) -> Outcome:
    """Return what a query or a check gives; a check of nothing measured has failed, and says so.

    Raises:
        TocsinError: The expression can't be evaluated.
    """
    expression = in_expression(step.query, situation.values)
    expect = step.expect or _DEFAULT
    rows = _figures(_read(expression, expect.over_ms, situation), expect.figure)
    data: dict[str, JsonValue] = {
        "expression": expression,
        "values": [[label, value] for label, value in rows[:MAX_LINES_SHOWN]],
        "measured": bool(rows),
    }
    checked = step.kind in {StepKind.CHECK, StepKind.WAIT_UNTIL}
    if not rows:
        state = StepState.FAILED if checked else StepState.SUCCEEDED
        return Outcome(state=state, text="not measured", data=data)
    text = _worded(rows, _unit(step, expression, situation))
    if step.expect is None:
        return Outcome(state=StepState.SUCCEEDED, text=text, data=data)
    well = holds(step.expect, [value for _, value in rows])
    told = f"{text}; {'as' if well else 'not as'} expected ({step.expect.words})"
    state = StepState.SUCCEEDED if well or not checked else StepState.FAILED
    return Outcome(state=state, text=told, data={**data, "as_expected": well})


def met(query: str, expect: Expectation, situation: Situation) -> bool | None:
    """Return whether an expression is as expected; None: nothing was measured.

    Raises:
        TocsinError: The expression can't be evaluated.
    """
    expression = in_expression(query, situation.values)
    rows = _figures(_read(expression, expect.over_ms, situation), expect.figure)
    return holds(expect, [value for _, value in rows]) if rows else None


def holds(expect: Expectation, values: Sequence[float]) -> bool:
    """Whether every value is as expected."""
    compare = _COMPARE[expect.operator]
    return all(compare(value, expect.value) for value in values)


def differing(step: Step, situation: Situation) -> Outcome:
    """Return which lines of an expression have moved most since the onset.

    Raises:
        TocsinError: The expression can't be evaluated.
    """
    expression = in_expression(step.query, situation.values)
    onset_ms, now_ms = situation.incident.impact_start_ms, situation.now_ms()
    read = situation.metrics.read
    before = dict(_figures(read(expression, onset_ms - _BEFORE_MS, onset_ms), Figure.MEAN))
    since = dict(_figures(read(expression, onset_ms, now_ms), Figure.MEAN))
    labels = dict.fromkeys([*since, *before])
    moved = [(label, before.get(label), since.get(label)) for label in labels]
    moved.sort(key=lambda row: -_distance(row[1], row[2]))
    if not before or not since:
        told = "not measured both before and since the onset"
        return Outcome(state=StepState.SUCCEEDED, text=told, data={"measured": False})
    unit = _unit(step, expression, situation)
    shown = [
        f"{label} {_or_none(was, unit)} → {_or_none(now, unit)}" for label, was, now in moved[:3]
    ]
    rows: list[JsonValue] = [[label, was, now] for label, was, now in moved[:MAX_LINES_SHOWN]]
    data: dict[str, JsonValue] = {"expression": expression, "moved": rows, "measured": True}
    text = "; ".join(shown)
    return Outcome(state=StepState.SUCCEEDED, text=f"mean before → since: {text}", data=data)


def _unit(step: Step, expression: str, situation: Situation) -> str:
    """Return the unit of an expression's values: as the step says, or the finding's whose it is."""
    findings = situation.incident.findings.values()
    known = (finding.unit for finding in findings if finding.expression == expression)
    return step.unit or next(known, "")


def _or_none(value: float | None, unit: str) -> str:
    return quantity(value, unit, missing="none")


def _distance(before: float | None, since: float | None) -> float:
    """Return how far a value has moved, as a share of the larger: the same up and down.

    A line that was not there before, or is no longer, has moved all the way.
    """
    if before is None or since is None:
        return 1.0
    larger = max(abs(before), abs(since))
    return abs(since - before) / larger if larger else 0.0


def _read(expression: str, over_ms: int, situation: Situation) -> Frame:
    now_ms = situation.now_ms()
    return situation.metrics.read(expression, now_ms - over_ms, now_ms)


def _figures(frame: Frame, figure: Figure) -> list[tuple[str, float]]:
    """Return label and figure of each line that was measured."""
    rows = []
    for label, line in zip(frame.labels, frame.values, strict=True):
        known = line[np.isfinite(line)]
        if known.size:
            rows.append((label, _figure(known, figure)))
    return rows


def _figure(known: FloatArray, figure: Figure) -> float:
    if figure is Figure.LAST:
        return float(known[-1])
    if figure is Figure.MEAN:
        return float(known.mean())
    return float(known.min() if figure is Figure.LEAST else known.max())


def _worded(rows: Sequence[tuple[str, float]], unit: str) -> str:
    if len(rows) == 1:
        return quantity(rows[0][1], unit)
    shown = ", ".join(f"{label} {quantity(value, unit)}" for label, value in rows[:MAX_LINES_SHOWN])
    more = len(rows) - MAX_LINES_SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
