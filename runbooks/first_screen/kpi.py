"""The figures that show how bad it is: the value now, beside what it should be, with its course."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.evidence.near_changes import REGION
from anomaly.findings import Finding, FindingKind, FindingState
from anomaly.promql.written import as_people_write
from collectors.errors import TocsinError
from collectors.model import FloatArray, Frame
from runbooks.diagnosis.sentence import usual, valued, where
from runbooks.first_screen.trend import Course, Trend, trend_of
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking
from runbooks.postmortem.impact import MetricReader, graph_query, total_line
from tocsin.client.wording import scope

MAX_KPIS = 3
"""Figures that a first screen has."""

MAX_POINTS = 60
"""Points of a figure's line; of more the means of stretches are drawn."""

BEFORE_MS = 300_000
"""So much of the time before the onset a line shows, milliseconds."""

MAX_SPAN_MS = 21_600_000
"""Longest stretch that a line covers, milliseconds: of what lasts longer the newest."""

_NOTHING: FloatArray = np.zeros(0)
_UNMEASURED = frozenset({FindingKind.ALERT, FindingKind.OWN_FAULT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure.

    Attributes:
        title: What is measured, and where.
        now: The newest value in words.
        worst: The worst value in words; empty if there is none.
        usual: What it should be, in words; empty if that is not known.
        value: The newest value; None if there is none.
        baseline: What it should be; None if that is not known.
        unit: Of both.
        expression: Gives the values again, as people write it.
        query: Path and query of the HTTP API that give them.
        points: Shape (points,), NaN where nothing was measured.
        start_ms: Time of the first point, epoch milliseconds.
        step_ms: From point to point, milliseconds.
        trend: Which way it goes.
        note: Why there are no values; empty if there are.
    """

    title: str
    now: str
    worst: str
    usual: str
    value: float | None
    baseline: float | None
    unit: str
    expression: str
    query: str
    points: FloatArray
    start_ms: int
    step_ms: int
    trend: Trend
    note: str = ""


def kpis_of(incident: Incident, metrics: MetricReader, now_ms: int) -> list[Kpi]:
    """Return the figures of the findings that speak for ``incident``, the one that leads first."""
    shown: dict[str, Finding] = {}
    for finding in speaking(incident.findings.values()):
        if finding.kind not in _UNMEASURED and finding.expression:
            shown.setdefault(finding.expression, finding)
    few = list(shown.values())[:MAX_KPIS]
    return [
        _kpi(title, one, incident, metrics, now_ms)
        for one, title in zip(few, _titles(few), strict=True)
    ]


def _titles(findings: Sequence[Finding]) -> list[str]:
    """Return what each measures and where; of those alike also what else tells them apart."""
    titles = [f"{one.subject}{where([one])}" if one.subject else one.title for one in findings]
    return [
        f"{title} ({scope({k: v for k, v in one.scope.items() if k != REGION})})"
        if titles.count(title) > 1 and one.scope.keys() - {REGION}
        else title
        for one, title in zip(findings, titles, strict=True)
    ]


def _kpi(
    title: str, finding: Finding, incident: Incident, metrics: MetricReader, now_ms: int
) -> Kpi:
    end_ms = incident.resolved_ms or now_ms
    start_ms = max(incident.impact_start_ms - BEFORE_MS, end_ms - MAX_SPAN_MS)
    note, times_ms, values, step_ms = "", np.zeros(0, dtype=np.int64), _NOTHING, 1
    try:
        frame = metrics.read(finding.expression, start_ms, end_ms)
    except TocsinError as error:
        note = f"not measured: {error.message}"
    else:
        times_ms, values, step_ms = frame.times_ms, line_of(frame, finding.unit), frame.step_ms
    measured = values[np.isfinite(values)]
    value = float(measured[-1]) if measured.size else None
    since = values[times_ms > incident.impact_start_ms]
    points, every = thinned(values)
    return Kpi(
        title=title,
        now=valued(finding, value, missing="not measured"),
        worst=_worst(finding, since),
        usual=usual(finding),
        value=value,
        baseline=finding.baseline,
        unit=finding.unit,
        expression=as_people_write(finding.expression),
        query=graph_query(finding.expression, start_ms, end_ms),
        points=points,
        start_ms=int(times_ms[0]) if len(times_ms) else start_ms,
        step_ms=step_ms * every,
        trend=_trend(finding, incident, since, step_ms),
        note=note or ("" if measured.size else "not measured in this time"),
    )


def _worst(finding: Finding, since: FloatArray) -> str:
    """Return the value farthest from what it should be since the onset, in words."""
    measured = since[np.isfinite(since)]
    if finding.baseline is None or not measured.size:
        return ""
    farthest = measured[np.argmax(np.abs(measured - finding.baseline))]
    return f"{valued(finding, float(farthest))} at worst"


def _trend(finding: Finding, incident: Incident, since: FloatArray, step_ms: int) -> Trend:
    if incident.impact[-1].end_ms is not None:
        return Trend(course=Course.UNKNOWN, why="it is over")
    if finding.state is not FindingState.FIRING:
        return Trend(course=Course.UNKNOWN, why=f"this is {finding.state}")
    return trend_of(since, finding.baseline, step_ms)


def line_of(frame: Frame, unit: str) -> FloatArray:
    """Return a frame as one line: rates add up, of anything else the farthest line counts."""
    if len(frame.values) == 1 or "/" in unit:
        return total_line(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # steps in which no line has a value
        return np.nanmax(frame.values, axis=0) if len(frame.values) else total_line(frame)


def thinned(values: FloatArray) -> tuple[FloatArray, int]:
    """Return at most :data:`MAX_POINTS` values, and of how many each is the mean."""
    every = max(1, -(-len(values) // MAX_POINTS))
    if every == 1:
        return values, 1
    padded = np.r_[values, np.full(-len(values) % every, np.nan)].reshape(-1, every)
    known = np.isfinite(padded)
    counts = known.sum(axis=1)
    sums = np.where(known, padded, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), every


def worst_course(kpis: Sequence[Kpi]) -> Trend:
    """Return the course of the figure that leads; of the next where that is not measured."""
    known = (kpi.trend for kpi in kpis if kpi.trend.course is not Course.UNKNOWN)
    nothing = Trend(course=Course.UNKNOWN, why="nothing that fires is measured here")
    return next(known, kpis[0].trend if kpis else nothing)
