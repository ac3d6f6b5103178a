"""Carries acknowledged spans to history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from collectors.budget import elsewhere
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.history.keeper import INTERVAL_S, Keeper
from collectors.host.journal import Journal
from collectors.model import Span
from collectors.traces.heat import HeatMap
from collectors.traces.held_trace import TraceSpans
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch, TraceSummary
from collectors.traces.span_record import decode_spans
from collectors.traces.store import SPANS

_log = structlog.get_logger(__name__)
_SPANS = 5_000


class SpanKeeper(Keeper[Sequence[Span]]):
    """Writes spans to history some seconds after they were acknowledged.

    Args:
        history: Where they go.
        journal: Where they are already; read at the start and after a failure.
        clock: For retention.
        retention_ms: Age at which whole days are dropped.
        max_waiting: Spans that wait in memory; beyond that the journal alone has them.
        interval_s: How often spans are written; None only by :meth:`flush`.
    """

    def __init__(
        self,
        history: SpanHistory,
        journal: Journal,
        clock: Clock,
        *,
        retention_ms: int,
        max_waiting: int = 100_000,
        interval_s: float | None = INTERVAL_S,
    ) -> None:
        self._history = history
        super().__init__(
            _Carrier(history, journal),
            clock,
            thread_name="span-history",
            retention_ms=retention_ms,
            max_waiting=max_waiting,
            at_once=_SPANS,
            interval_s=interval_s,
        )

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans that are in the journal; returns at once, whatever state history is in."""
        self.take(spans)

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        """Return the matching traces that history has, newest first."""
        with elsewhere():
            return self._history.search(wanted)

    def read(self, trace_id: str) -> TraceSpans:
        """Return what history has of a trace."""
        with elsewhere():
            return self._history.read(trace_id)

    def add_heat(self, found: HeatMap, wanted: TraceSearch, end_ms: int) -> None:
        """Count the spans that a search means, those that began before a time."""
        with elsewhere():
            self._history.add_heat(found, wanted, end_ms)

    def spans_meant(self, wanted: TraceSearch, before_ms: int | None, most: int) -> list[Span]:
        """Return spans that a search means, the newest first."""
        with elsewhere():
            return self._history.spans_meant(wanted, before_ms, most)

    def traces(self, start_ms: int, before_ms: int, most: int) -> Iterator[list[list[Span]]]:
        """Yield the spans of traces that began between two times, newest first."""
        told = self._history.traces(start_ms, before_ms, most)
        while True:
            with elsewhere():
                found = next(told, None)
            if found is None:
                return
            yield found


class _Carrier:
    """Writes spans; the whole journal is compared with history when that may lack some."""

    in_order = False

    def __init__(self, history: SpanHistory, journal: Journal) -> None:
        self._history = history
        self._journal = journal

    @property
    def leads(self) -> bool:
        return self._history.leads

    def write(self, batches: Sequence[Sequence[Span]], *, compare: bool) -> int:
        spans = [span for batch in batches for span in batch]
        fresh = self._history.missing(spans) if compare else spans
        self._history.insert_spans(fresh)
        return len(fresh)

    def unwritten(self) -> Iterator[Sequence[Sequence[Span]]]:
        gathered: list[Span] = []
        for record in self._journal.replay(SPANS):
            try:
                gathered += decode_spans(record)
            except StorageError as error:
                _log.warning("span record skipped", reason=error.message)
            if len(gathered) >= _SPANS:
                yield [gathered]
                gathered = []
        if gathered:
            yield [gathered]

    def drop_before(self, time_ms: int) -> None:
        self._history.drop_before(time_ms)
