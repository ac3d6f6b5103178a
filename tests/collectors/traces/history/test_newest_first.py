"""Traces are told newest first, although spans of theirs are found in another order."""

from __future__ import annotations

from collectors.traces.history.newest_first import NewestFirst
from collectors.traces.search import TraceSummary, summarize
from collectors.traces.testing import make_span


def found(trace: str, start_ns: int) -> tuple[int, TraceSummary]:
    return start_ns, summarize([make_span("1", trace=trace)])


def test_a_trace_waits_until_no_newer_one_can_come() -> None:
    """A long trace, found by its last span, would stand above newer ones, or twice."""
    newest = NewestFirst()
    told = [
        [int(one.trace_id, 16) for one in newest.told(traces, frontier_ns)]
        for traces, frontier_ns in (
            ([found("1", 90), found("2", 40)], 80),
            ([found("3", 70), found("2", 40), found("4", 60)], 50),
            ([], -1),
        )
    ]
    assert told == [[1], [3, 4], [2]]
