"""One answer from memory and from what outlives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from collectors.errors import StorageError
from collectors.model import Span
from collectors.traces.heat import HeatMap
from collectors.traces.held_trace import TraceSpans
from collectors.traces.search import NANOS_PER_MS, TraceSearch, TraceSummary
from collectors.traces.tree.cutting import most_telling
from collectors.traces.tree.lineage import identity

_log = structlog.get_logger(__name__)
# A span that comes after its trace was dropped makes a trace of its own in memory.
_EDGE_MS = 60_000


class SpanArchive(Protocol):
    """Where acknowledged spans go for good."""

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans that are logged; never blocks and never fails."""
        ...

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return matching traces, newest first, at most ``wanted.limit``."""
        ...

    def read(self, trace_id: str) -> TraceSpans:
        """Return a trace, without spans when it is unknown."""
        ...

    def add_heat(self, found: HeatMap, wanted: TraceSearch, end_ms: int) -> None:
        """Count the spans that a search without a query means, those that began before a time."""
        ...

    def spans_meant(self, wanted: TraceSearch, before_ms: int | None, most: int) -> Sequence[Span]:
        """Return spans that a search without a query means, the newest first.

        The search has a ``start_ms``; the spans began before ``before_ms``, if it is given.
        """
        ...

    def traces(
        self, start_ms: int, before_ms: int, most: int
    ) -> Iterator[Sequence[Sequence[Span]]]:
        """Yield the spans of traces that began between two times, newest first.

        Some traces at a time, until about ``most`` spans are told.
        """
        ...

    def close(self) -> None:
        """Take what is not taken yet."""
        ...


def joined_search(
    archive: SpanArchive, wanted: TraceSearch, found: list[TraceSummary], first_ms: int | None
) -> list[TraceSummary]:
    """Return what memory has found, then what the archive has from before that.

    Args:
        archive: What is asked for the rest.
        wanted: The search; its limit is more than the number found.
        found: What memory has, newest first.
        first_ms: Since when memory is whole; None when it never is.

    Returns:
        Newest first, each trace once. A failing archive is logged: memory's part is answered.
    """
    end_ms = wanted.end_ms
    if first_ms is not None:
        if wanted.start_ms is not None and wanted.start_ms >= first_ms + _EDGE_MS:
            return found
        edge_ms = first_ms + _EDGE_MS
        end_ms = edge_ms if end_ms is None else min(edge_ms, end_ms)
    try:
        # Traces at the edge may be known to both.
        older = archive.search(replace(wanted, end_ms=end_ms))
    except StorageError as error:
        _log.warning("traces are searched in memory only", reason=error.message)
        return found
    traces: dict[str, TraceSummary] = {}
    for summary in (*found, *older):
        known = traces.get(summary.trace_id)
        if known is None or known.span_count < summary.span_count:
            traces[summary.trace_id] = summary
    newest_first = sorted(traces.values(), key=lambda trace: trace.start_ms, reverse=True)
    return newest_first[: wanted.limit]


def joined_trace(
    archive: SpanArchive, trace_id: str, held: TraceSpans, first_ms: int | None, most: int
) -> TraceSpans:
    """Return a trace from memory, and from the archive if memory lacks or may lack some of it.

    Args:
        archive: What is asked for the rest.
        trace_id: The trace.
        held: What memory has.
        first_ms: Since when memory is whole; None when it never is.
        most: Spans to return of it.

    Raises:
        StorageError: Memory has none of it and the archive fails.
    """
    if held.spans and not held.dropped and first_ms is not None:
        start_ms = min(span.start_ns for span in held.spans) // NANOS_PER_MS
        if start_ms >= first_ms + _EDGE_MS:
            return held
    try:
        older = archive.read(trace_id)
    except StorageError as error:
        if not held.spans:
            raise
        _log.warning("a trace is read from memory only", trace=trace_id, reason=error.message)
        return held
    if not held.spans:
        return older
    known = set(map(identity, held.spans))
    spans = [*held.spans, *(span for span in older.spans if identity(span) not in known)]
    kept = [spans[at] for at in most_telling(spans, most)]
    total = max(len(spans), len(held.spans) + held.dropped, len(older.spans) + older.dropped)
    return TraceSpans(spans=kept, dropped=total - len(kept))
