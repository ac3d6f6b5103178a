"""Carries acknowledged spans to history, in batches and in the background.

Spans are in the journal before they come here, so nothing that happens here can lose one: what a
failing history did not take, or what waited when the process died, is read from the journal again
and compared with what history has.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import structlog

from collectors.background import Background, Pause
from collectors.budget import elsewhere
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.journal import Journal
from collectors.model import Span
from collectors.traces.heat import HeatMap
from collectors.traces.held_trace import TraceSpans
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch, TraceSummary
from collectors.traces.span_record import decode_spans
from collectors.traces.store import SPANS

_log = structlog.get_logger(__name__)
_DAY_MS = 86_400_000
_INTERVAL_S = 5.0
_BATCH = 5_000
# Spans read from the journal that are compared with history at one time.
_COMPARED = 5_000


class SpanKeeper:
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
        interval_s: float | None = _INTERVAL_S,
    ) -> None:
        self._history = history
        self._journal = journal
        self._clock = clock
        self._retention_ms = retention_ms
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._waiting: deque[Span] = deque()
        self._behind = True  # the journal may hold what the process before did not write
        self._unsure = True
        self._tidied_day = -1
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._pause = Pause(interval_s or 0.0)
        self._background = Background("span-history", self._run, interval_s=interval_s)
        self._background.start()

    @property
    def waiting(self) -> int:
        """Number of spans in memory that are to be written."""
        return len(self._waiting)

    @property
    def behind(self) -> bool:
        """Whether the journal has spans that history may lack and that don't wait in memory."""
        return self._behind

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans that are in the journal; returns at once, whatever state history is in."""
        with self._lock:
            if len(self._waiting) + len(spans) > self._max_waiting:
                self._waiting.clear()
                self._behind = True
            else:
                self._waiting.extend(spans)

    def flush(self) -> int:
        """Write what waits; return how many spans were written.

        Raises:
            StorageError: History refuses; the spans are kept for the next time.
        """
        with self._writing:
            written = self._catch_up() if self._behind else 0
            written += self._write_waiting()
            self._unsure = self._behind
            self._tidy()
        return written

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

    def close(self) -> None:
        """Write what waits and end the background work; the journal is left to the next start."""
        self._closing.set()
        self._background.close()
        try:
            with self._writing:
                self._write_waiting()
        except StorageError as error:
            _log.error("spans not written to history yet", reason=error.message)

    def _run(self) -> None:
        if self._pause.over():
            try:
                self.flush()
            except StorageError:
                self._pause.extend()
                raise
            self._pause.end()

    def _take(self) -> list[Span]:
        with self._lock:
            batch = list(islice(self._waiting, _BATCH))
            for _ in batch:
                self._waiting.popleft()
        return batch

    def _write_waiting(self) -> int:
        written = 0
        while batch := self._take():
            written += self._write(batch)
        return written

    def _write(self, batch: list[Span]) -> int:
        try:
            fresh = self._history.missing(batch) if self._unsure else batch
            self._history.insert_spans(fresh)
        except StorageError:
            # The statement may have been carried out all the same: compare the next time.
            self._unsure = True
            with self._lock:
                self._waiting.extendleft(reversed(batch))
            raise
        return len(fresh)

    def _catch_up(self) -> int:
        """Write what the journal holds and history does not."""
        with self._lock:
            self._waiting.clear()
            self._behind = False
            self._unsure = True
        written = 0
        try:
            for spans in _gathered(self._journal):
                if self._closing.is_set():
                    self._behind = True
                    break
                fresh = self._history.missing(spans)
                self._history.insert_spans(fresh)
                written += len(fresh)
        except StorageError:
            self._behind = True
            raise
        return written

    def _tidy(self) -> None:
        """Once a day, drop what is old enough."""
        now_ms = self._clock.now_ms()
        if now_ms // _DAY_MS != self._tidied_day:
            self._history.drop_before(now_ms - self._retention_ms)
            self._tidied_day = now_ms // _DAY_MS


def _gathered(journal: Journal) -> Iterator[list[Span]]:
    """Yield the spans of the journal some thousand at a time."""
    gathered: list[Span] = []
    for record in journal.replay(SPANS):
        try:
            gathered += decode_spans(record)
        except StorageError as error:
            _log.warning("span record skipped", reason=error.message)
        if len(gathered) >= _COMPARED:
            yield gathered
            gathered = []
    if gathered:
        yield gathered
