"""Newest first, of traces that are found by spans of theirs which may have begun later."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from collectors.traces.search import TraceSummary


class NewestFirst:
    """Traces that wait until no newer one can come."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str, TraceSummary]] = []
        self._known: set[str] = set()

    def told(
        self, found: Iterable[tuple[int, TraceSummary]], frontier_ns: int
    ) -> Iterator[TraceSummary]:
        """Yield those of all that were found so far that are newer than all that may still come.

        Args:
            found: When a trace began, epoch nanoseconds, and what is told of it.
            frontier_ns: What is found later began at this time or before.
        """
        for start_ns, summary in found:
            if summary.trace_id not in self._known:
                self._known.add(summary.trace_id)
                heapq.heappush(self._waiting, (-start_ns, summary.trace_id, summary))
        while self._waiting and -self._waiting[0][0] > frontier_ns:
            yield heapq.heappop(self._waiting)[2]
