"""Whether a trace in memory is one that a search means, and what is told of it."""

from __future__ import annotations

from collectors.traces.held_trace import HeldTrace
from collectors.traces.search import TraceSearch, TraceSummary, summarize


def matches(trace: HeldTrace, wanted: TraceSearch) -> bool:
    """Return whether a trace, its time aside, is one that a search means."""
    if wanted.service and wanted.service not in trace.services:
        return False
    if wanted.error and not trace.errors:
        return False
    if not wanted.about_span and not wanted.matches_duration(trace.end_ns - trace.start_ns):
        return False
    return any(map(wanted.matches_span, trace.held()))


def summary_of(trace: HeldTrace) -> TraceSummary:
    """Return the line of a search result."""
    return summarize(trace.held(), trace.dropped, trace.dropped_errors)
