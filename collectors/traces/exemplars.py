"""From a spike to a trace: the newest exemplars of every series, bounded and logged.

Receivers deliver exemplars beside samples; :class:`ExemplarWriter` stands between them and the
metric store: exemplars are in the log before their samples are acknowledged, and visible after.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from collectors.errors import StorageError
from collectors.model import Batch, Exemplar, MetricWriter, Receipt, Rejection, Tags
from collectors.stacklang.predicates.predicate import Query
from collectors.traces.exemplar_log import ExemplarLog, NoLog
from collectors.traces.exemplar_record import TracedSeries

PER_SERIES = 16
MAX_SERIES = 20_000
MAX_TRACES = 50_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedValue:
    """A measured value with its series and the trace that it came from."""

    tags: Tags
    time_ms: int
    value: float
    trace_id: str
    span_id: str


class ExemplarStore:
    """The newest exemplars in memory; the series that was quiet for longest goes first.

    Args:
        max_series: Series of which exemplars are held.
        log: Where exemplars are written before they are acknowledged; read on opening. None:
            memory is all there is.
    """

    def __init__(self, max_series: int = MAX_SERIES, log: ExemplarLog | None = None) -> None:
        self._max_series = max_series
        self._log = log or NoLog()
        self._lock = threading.Lock()
        self._series: OrderedDict[frozenset[tuple[str, str]], tuple[Tags, deque[Exemplar]]] = (
            OrderedDict()
        )
        self._waiting: dict[int, Sequence[TracedSeries]] = {}
        self._traces: OrderedDict[str, None] = OrderedDict()
        for series in self._log.replay():
            self._show(series)
        if self._log.is_long():
            self._shorten()

    def __contains__(self, trace_id: object) -> bool:
        """Return whether one of the newest ``MAX_TRACES`` exemplars points to a trace.

        Takes no lock: a look-up in a table is one step of the interpreter.
        """
        return trace_id in self._traces

    def note(self, batch: Batch) -> None:
        """Keep the exemplars of ``batch``; one that is repeated by an exporter is kept once.

        Raises:
            StorageError: The log failed; nothing was kept.
        """
        with self.keeping(batch):
            pass

    @contextmanager
    def keeping(self, batch: Batch) -> Iterator[None]:
        """Log the exemplars of ``batch`` now, and show them once the block is left in peace.

        Raises:
            StorageError: The log failed; the block is not entered.
        """
        if not batch.exemplars:
            yield
            return
        ticket = self._write(batch)
        try:
            yield
        except BaseException:
            self._finish(ticket, show=False)
            raise
        self._finish(ticket, show=True)

    def _write(self, batch: Batch) -> int:
        """Log what is not held yet; return under which number it waits."""
        with self._lock:
            fresh = self._fresh(batch)
            self._log.append(fresh)
            ticket = max(self._waiting, default=0) + 1
            self._waiting[ticket] = fresh
            return ticket

    def _fresh(self, batch: Batch) -> list[TracedSeries]:
        by_series: dict[int, list[Exemplar]] = {}
        for exemplar in batch.exemplars:
            by_series.setdefault(exemplar.series, []).append(exemplar)
        found: list[TracedSeries] = []
        for series, exemplars in by_series.items():
            tags = batch.series[series]
            key = frozenset(tags.items())
            _, held = self._series.get(key, (tags, ()))
            if key in self._series:
                self._series.move_to_end(key)
            known = {_identity(exemplar) for exemplar in held}
            fresh = tuple(e for e in exemplars if _identity(e) not in known)
            if fresh:
                found.append((tags, fresh))
        return found

    def _finish(self, ticket: int, *, show: bool) -> None:
        with self._lock:
            series = self._waiting.pop(ticket)
            if show:
                self._show(series)
            if self._log.is_long():
                self._shorten()

    def _shorten(self) -> None:
        """Write what is held again, so that the log forgets the rest."""
        held = [(tags, tuple(exemplars)) for tags, exemplars in self._series.values()]
        try:
            self._log.replace([*held, *(one for some in self._waiting.values() for one in some)])
        except (StorageError, OSError) as error:
            # The log still has everything; as much again may be written before the next attempt.
            _log.error("log of exemplars not shortened", reason=str(error))

    def _show(self, series: Sequence[TracedSeries]) -> None:
        for tags, exemplars in series:
            key = frozenset(tags.items())
            _, held = self._series.setdefault(key, (tags, deque(maxlen=PER_SERIES)))
            self._series.move_to_end(key)
            known = {_identity(exemplar) for exemplar in held}
            for exemplar in exemplars:
                if _identity(exemplar) not in known:
                    held.append(exemplar)
                    known.add(_identity(exemplar))
                    self._traces[exemplar.trace_id] = None
        while len(self._traces) > MAX_TRACES:
            self._traces.popitem(last=False)
        while len(self._series) > self._max_series:
            self._series.popitem(last=False)

    def find(
        self, query: Query, start_ms: int, end_ms: int, limit: int = 100, *, trace_id: str = ""
    ) -> list[TracedValue]:
        """Return exemplars of series that match, newest first.

        Args:
            query: Which series.
            start_ms: Earliest time, inclusive.
            end_ms: Latest time, inclusive.
            limit: Most exemplars.
            trace_id: The trace that they point to; "" for any.
        """
        # A long search, perhaps by a regular expression, must not hold up the writers.
        with self._lock:
            series = list(self._series.values())
        matching = [(tags, held) for tags, held in series if query.matches(tags)]
        with self._lock:
            copies = [(tags, tuple(held)) for tags, held in matching]
        found = [
            TracedValue(
                tags=tags,
                time_ms=exemplar.time_ms,
                value=exemplar.value,
                trace_id=exemplar.trace_id,
                span_id=exemplar.span_id,
            )
            for tags, held in copies
            for exemplar in held
            if start_ms <= exemplar.time_ms <= end_ms and trace_id in ("", exemplar.trace_id)
        ]
        found.sort(key=lambda traced: traced.time_ms, reverse=True)
        return found[:limit]

    def close(self) -> None:
        """Release the log's files."""
        self._log.close()


class ExemplarWriter:
    """A :class:`~collectors.model.MetricWriter` that keeps exemplars and passes samples on."""

    def __init__(self, metrics: MetricWriter, exemplars: ExemplarStore) -> None:
        self._metrics = metrics
        self._exemplars = exemplars

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch`` with its exemplars; those that can't be logged are refused, not samples.

        Raises:
            StorageError: The samples can't be logged.
        """
        entered = False
        try:
            with self._exemplars.keeping(batch):
                entered = True
                return self._write(batch)
        except StorageError as error:
            if entered:
                raise
            # The samples are judged whatever becomes of what goes with them.
            kept = self._write(batch)
            told = Rejection(reason="exemplarsNotKept", detail=error.message, count=0)
            return replace(kept, rejected=[*kept.rejected, told])

    def _write(self, batch: Batch) -> Receipt:
        return self._metrics.write(batch) if len(batch) else Receipt(accepted=0)


def _identity(exemplar: Exemplar) -> tuple[str, str, int]:
    return exemplar.trace_id, exemplar.span_id, exemplar.time_ms
