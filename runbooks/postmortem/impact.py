"""Impact in numbers, each with the query that gives it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

import numpy as np

from collectors.errors import TocsinError
from collectors.model import FloatArray, Frame
from runbooks.alerts.grouping import REGION
from runbooks.incidents.incident import ImpactInterval, Incident
from runbooks.incidents.states import Severity
from tocsin.client.wording import duration, number, percent, quantity

LOOK_BACK_MS = 1_800_000
"""The baseline is taken from this long before the onset, milliseconds."""

_PLAIN = re.compile(r"[\w.\-]+")
_SCOPE, _EVERYWHERE = "{scope}", ":true"


class MetricReader(Protocol):
    """Evaluates stack-language expressions."""

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        """Return the lines of ``expression`` from ``start_ms`` to ``end_ms``.

        Raises:
            QueryError: The expression can't be evaluated.
        """
        ...


class MeasureKind(StrEnum):
    """How a number is made of an expression's values over the impact.

    ``INTEGRAL``: a rate added up. ``SHORTFALL``: what is missing against the median before the
    onset, added up. ``BUDGET``: ``expr`` (bad events a second) added up, as a share of the error
    budget of ``window_s`` at the traffic before the onset.
    """

    INTEGRAL = "integral"
    SHORTFALL = "shortfall"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactMeasure:
    """What to count.

    Attributes:
        id: Short name.
        title: What a reader sees.
        kind: How to count.
        expr: Expression of one line; ``{scope}`` stands for a query of the affected regions.
        unit: What is counted, such as ``starts``.
        total: For a budget, the expression of all events a second.
        target: For a budget, the objective, such as 0.999.
        window_s: For a budget, the objective's window, seconds.
        severities: From how much on it speaks for which severity of an incident that lasts.
    """

    id: str
    title: str
    kind: MeasureKind
    expr: str
    unit: str = ""
    total: str = ""
    target: float = 0.0
    window_s: float = 0.0
    severities: tuple[tuple[Severity, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its source.

    Attributes:
        title: What was counted.
        text: The number in words, or why there is none.
        value: The number itself; None if there is none.
        note: What it was counted against, and how much of the time was measured.
        expression: Gives the values again.
        query: Path and query of the HTTP API that gives them.
    """

    title: str
    text: str
    value: float | None
    note: str
    expression: str
    query: str


def graph_query(expression: str, start_ms: int, end_ms: int) -> str:
    """Return the API's path and query for ``expression`` over a window."""
    asked = {"q": expression, "s": start_ms, "e": end_ms, "format": "std.json"}
    return f"/api/v1/graph?{urlencode(asked)}"


def scoped(expression: str, incident: Incident) -> str:
    """Return ``expression`` with ``{scope}`` replaced by a query of the affected regions."""
    regions = [r for r in incident.scope_values(REGION) if _PLAIN.fullmatch(r)]
    listed = f"{REGION},(,{',,'.join(regions)},),:in".replace(",,", ",")
    query = listed if regions else _EVERYWHERE
    return expression.replace(_SCOPE, query)


def scoped_everywhere(expression: str) -> str:
    """Return ``expression`` with ``{scope}`` replaced by a query of everything."""
    return expression.replace(_SCOPE, _EVERYWHERE)


def figures(
    measures: Sequence[ImpactMeasure], incident: Incident, metrics: MetricReader, now_ms: int
) -> list[Figure]:
    """Evaluate every measure over the incident's impact."""
    return [figure(measure, incident, metrics, now_ms) for measure in measures]


def figure(
    measure: ImpactMeasure, incident: Incident, metrics: MetricReader, now_ms: int
) -> Figure:
    """Evaluate one measure; what can't be evaluated says why, and the rest goes on."""
    expression = scoped(measure.expr, incident)
    start_ms = incident.impact_start_ms
    end_ms = incident.impact[-1].end_ms or now_ms
    value: float | None = None
    try:
        value, text, note = _COUNTS[measure.kind](measure, expression, incident, metrics, now_ms)
    except TocsinError as error:
        text, note = "not known", error.message
    return Figure(
        title=measure.title,
        text=text,
        value=value,
        note=note,
        expression=expression,
        query=graph_query(expression, start_ms, end_ms),
    )


Count = tuple[float | None, str, str]


def _integral(
    measure: ImpactMeasure,
    expression: str,
    incident: Incident,
    metrics: MetricReader,
    now_ms: int,
) -> Count:
    total, coverage = _added_up(expression, incident.impact, metrics, now_ms)
    if not coverage:
        return None, "not known", "nothing was measured during the impact"
    return (
        total,
        quantity(round(total), measure.unit),
        f"measured {percent(coverage)} of the impact",
    )


def _shortfall(
    measure: ImpactMeasure,
    expression: str,
    incident: Incident,
    metrics: MetricReader,
    now_ms: int,
) -> Count:
    usual = _usual(expression, incident, metrics)
    if usual is None:
        return None, "not known", "nothing was measured before the onset to compare with"
    total, coverage = _added_up(expression, incident.impact, metrics, now_ms, usual)
    if not coverage:
        return None, "not known", "nothing was measured during the impact"
    note = f"against {quantity(usual, '1/s')} before the onset; measured {percent(coverage)}"
    return total, quantity(round(total), measure.unit), note


def _budget(
    measure: ImpactMeasure,
    expression: str,
    incident: Incident,
    metrics: MetricReader,
    now_ms: int,
) -> Count:
    usual = _usual(scoped(measure.total, incident), incident, metrics)
    if not usual:
        return None, "not known", "no traffic was measured before the onset"
    bad, coverage = _added_up(expression, incident.impact, metrics, now_ms)
    if not coverage:
        return None, "not known", "nothing was measured during the impact"
    allowed = (1 - measure.target) * usual * measure.window_s
    note = (
        f"{number(round(bad))} bad events of {number(round(allowed))} that "
        f"{percent(measure.target)} allows in {duration(measure.window_s)} at "
        f"{quantity(usual, '1/s')}; measured {percent(coverage)}"
    )
    return bad / allowed, quantity(bad / allowed, "ratio"), note


def _usual(expression: str, incident: Incident, metrics: MetricReader) -> float | None:
    """Return the median of the values before the onset."""
    onset_ms = incident.impact_start_ms
    values = total_line(metrics.read(expression, onset_ms - LOOK_BACK_MS, onset_ms))
    present = values[~np.isnan(values)]
    return float(np.median(present)) if present.size else None


def _added_up(
    expression: str,
    impact: Sequence[ImpactInterval],
    metrics: MetricReader,
    now_ms: int,
    usual: float | None = None,
) -> tuple[float, float]:
    """Integrate a rate, or its shortfall below ``usual``; return it and the share measured."""
    total, measured, steps = 0.0, 0, 0
    for interval in impact:
        end_ms = interval.end_ms or now_ms
        frame = metrics.read(expression, interval.start_ms, end_ms)
        # A column stands at the end of its interval: that at the onset is of the time before.
        values = total_line(frame)[frame.times_ms > interval.start_ms]
        present = values[~np.isnan(values)]
        amounts = present if usual is None else np.maximum(0.0, usual - present)
        total += float(amounts.sum()) * frame.step_ms / 1000
        measured += present.size
        steps += max(values.size, 1)
    return total, measured / steps if steps else 0.0


def total_line(frame: Frame) -> FloatArray:
    """Return the sum of a frame's lines, shape (steps,); NaN where none has a value."""
    if not len(frame.values):
        return np.full(frame.values.shape[1], np.nan)
    sums = np.nansum(frame.values, axis=0)
    return np.where(np.isnan(frame.values).all(axis=0), np.nan, sums)


_COUNTS = {
    MeasureKind.INTEGRAL: _integral,
    MeasureKind.SHORTFALL: _shortfall,
    MeasureKind.BUDGET: _budget,
}
