"""From a spike to a trace: the newest exemplars of every series, bounded.

Receivers deliver exemplars beside samples; :class:`ExemplarWriter` stands between them and the
metric store and notes them on the way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from collectors.model import Batch, Exemplar, MetricWriter, Receipt, Tags
from collectors.stacklang.query import Query

PER_SERIES = 16
MAX_SERIES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedValue:
    """A measured value with its series and the trace that it came from."""

    tags: Tags
    time_ms: int
    value: float
    trace_id: str
    span_id: str


class ExemplarStore:
    """The newest exemplars in memory; the series that was quiet for longest goes first."""

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self._max_series = max_series
        self._lock = threading.Lock()
        self._series: OrderedDict[frozenset[tuple[str, str]], tuple[Tags, deque[Exemplar]]] = (
            OrderedDict()
        )

    def note(self, batch: Batch) -> None:
        """Keep the exemplars of ``batch``; one that is repeated by an exporter is kept once."""
        if not batch.exemplars:
            return
        with self._lock:
            for exemplar in batch.exemplars:
                tags = batch.series[exemplar.series]
                key = frozenset(tags.items())
                _, held = self._series.setdefault(key, (tags, deque(maxlen=PER_SERIES)))
                self._series.move_to_end(key)
                if not any(_same(exemplar, other) for other in held):
                    held.append(exemplar)
            while len(self._series) > self._max_series:
                self._series.popitem(last=False)

    def find(self, query: Query, start_ms: int, end_ms: int, limit: int = 100) -> list[TracedValue]:
        """Return exemplars of series that match, newest first.

        Args:
            query: Which series.
            start_ms: Earliest time, inclusive.
            end_ms: Latest time, inclusive.
            limit: Most exemplars.
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
            if start_ms <= exemplar.time_ms <= end_ms
        ]
        found.sort(key=lambda traced: traced.time_ms, reverse=True)
        return found[:limit]


class ExemplarWriter:
    """A :class:`~collectors.model.MetricWriter` that notes exemplars and passes everything on."""

    def __init__(self, metrics: MetricWriter, exemplars: ExemplarStore) -> None:
        self._metrics = metrics
        self._exemplars = exemplars
        fast: Callable[[bytes], Receipt] | None = getattr(metrics, "write_remote", None)
        if fast is not None:
            self.write_remote = fast

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch`` and, once it is kept, its exemplars."""
        receipt = self._metrics.write(batch) if len(batch) else Receipt(accepted=0)
        self._exemplars.note(batch)
        return receipt


def _same(one: Exemplar, other: Exemplar) -> bool:
    return (one.trace_id, one.span_id, one.time_ms) == (
        other.trace_id,
        other.span_id,
        other.time_ms,
    )
