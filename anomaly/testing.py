"""Fakes for tests of whoever uses this package: numbers, traces, a sink and examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from anomaly.findings import Finding, FindingKind, FindingState, LineKind, Urgency
from collectors.model import FloatArray, Span, SpanKind, SpanStatus, Tags
from collectors.stacklang.lines.database import Aggregate, Fetch, Lines
from collectors.traces.search import TraceSearch, TraceSummary


class TableDatabase:
    """A :class:`~collectors.stacklang.lines.database.Database` of rates, written step by step.

    Args:
        step_ms: Length of a step.
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._series: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    def put(self, tags: Tags, time_ms: int, value: float) -> None:
        """Set the value of one series at one step."""
        self._series.setdefault(tuple(sorted(tags.items())), {})[time_ms] = value

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request`` at the base step."""
        rows: dict[tuple[str, ...], list[FloatArray]] = {}
        tags_of: dict[tuple[str, ...], Tags] = {}
        for items, points in self._series.items():
            tags = dict(items)
            if not request.query.matches(tags) or any(k not in tags for k in request.group_by):
                continue
            whole = request.aggregate is Aggregate.ALL
            group = tags if whole else {key: tags[key] for key in request.group_by}
            key = tuple(v for pair in sorted(group.items()) for v in pair)
            tags_of[key] = group
            rows.setdefault(key, []).append(self._row(points, request))
        keys = sorted(rows)
        shape = (0, request.window.steps)
        values = [_combine(np.array(rows[key]), request.aggregate) for key in keys]
        return Lines(
            tags=[tags_of[key] for key in keys],
            values=np.array(values) if keys else np.zeros(shape),
        )

    def _row(self, points: dict[int, float], request: Fetch) -> FloatArray:
        window = request.window
        times = range(window.start_ms, window.end_ms + 1, window.step_ms)
        return np.array([points.get(time, np.nan) for time in times])


def _combine(rows: FloatArray, aggregate: Aggregate) -> FloatArray:
    empty = np.isnan(rows).all(axis=0)
    if aggregate is Aggregate.COUNT:
        result = (~np.isnan(rows)).sum(axis=0).astype(np.float64)
    elif aggregate is Aggregate.MIN:
        result = np.where(np.isnan(rows), np.inf, rows).min(axis=0)
    elif aggregate is Aggregate.MAX:
        result = np.where(np.isnan(rows), -np.inf, rows).max(axis=0)
    else:
        result = np.nansum(rows, axis=0)
    combined: FloatArray = np.where(empty, np.nan, result)
    return combined


class TraceList:
    """A trace finder that answers with the same traces and remembers what it was asked."""

    def __init__(self, summaries: Sequence[TraceSummary] = (), spans: Sequence[Span] = ()) -> None:
        self.summaries = list(summaries)
        self.spans = list(spans)
        self.asked: list[TraceSearch] = []

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return the traces within the time bounds that pass through the service."""
        self.asked.append(wanted)
        return [
            summary
            for summary in self.summaries
            if (wanted.start_ms or 0) <= summary.start_ms <= (wanted.end_ms or summary.start_ms)
            and (not wanted.service or wanted.service in summary.services)
        ][: wanted.limit]

    def trace(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


class FindingList:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.received: list[Finding] = []

    def receive(self, finding: Finding) -> None:
        """Keep ``finding``."""
        self.received.append(finding)


def example_finding(**fields: Any) -> Finding:
    """Return a finding of an objective that fires, but for the fields given."""
    finding = Finding(
        id="slo/a/eu/page/1",
        rule="slo/a/page-fast",
        kind=FindingKind.SLO_BURN,
        state=FindingState.FIRING,
        urgency=Urgency.PAGE,
        title="It burns",
        explanation="It burns.",
        scope={"cloud.region": "eu"},
        started_ms=10_000,
        detected_ms=20_000,
        updated_ms=20_000,
        ended_ms=None,
        expression="name,bad,:eq,:sum",
        window_ms=60_000,
        observed=1.0,
        baseline=None,
        unit="ratio",
        values={"burn_rate_long": 20.0},
    )
    return replace(finding, **fields)


def example_line_kind(**fields: Any) -> LineKind:
    """Return a new kind of error line of playback, but for the fields given."""
    kind = LineKind(
        pattern="0badc0de",
        text="no answer for <*>",
        service="playback",
        severity="error",
        new=True,
        since_ms=1_700_000_005_000,
        until_ms=1_700_000_060_000,
        count=14,
        before=0,
        among=100,
        before_ms=600_000,
        sample="no answer for 13",
        trace_id="",
    )
    return replace(kind, **fields)


def example_summary(number: int, **fields: Any) -> TraceSummary:
    """Return a trace of one failed request through a gateway, but for the fields given.

    Args:
        number: Makes the trace id.
        fields: What is different.
    """
    summary = TraceSummary(
        trace_id=f"{number:032x}",
        root_service="gateway",
        root_name="GET /play",
        start_ms=15_000,
        duration_ms=5.0,
        span_count=1,
        error_count=1,
        services=("gateway",),
    )
    return replace(summary, **fields)


def example_span(number: int, **fields: Any) -> Span:
    """Return the failed root span of trace ``number``, in playback, but for the fields given."""
    span = Span(
        trace_id=f"{number:032x}",
        span_id="1" * 16,
        parent_span_id="",
        name="GET /play",
        kind=SpanKind.SERVER,
        start_ns=0,
        end_ns=1,
        status=SpanStatus.ERROR,
        status_message="",
        service="playback",
        resource={},
        attributes={},
    )
    return replace(span, **fields)
