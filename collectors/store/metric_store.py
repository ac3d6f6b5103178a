"""The metric store: a writer for receivers and a database for expressions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from collectors.clock import Clock
from collectors.errors import QueryError
from collectors.model import Batch, FloatArray, IndexArray, IntArray, Receipt, Rejection, Tags
from collectors.stacklang.database import Aggregate, Fetch, Lines
from collectors.stacklang.query import AnyOf, Query
from collectors.store import aggregation, records
from collectors.store.admission import Admission, Resolved, identities_of
from collectors.store.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.ingest import counter_heartbeat_ms, ingest
from collectors.store.journal import FileJournal, Journal
from collectors.store.limits import StoreLimits
from collectors.store.plan import Plan, Planner
from collectors.store.series import SeriesTable, identity_of
from collectors.store.tag_index import TagIndex


class MetricStore:
    """Hot blocks, their index and their log; safe for many writing and reading threads.

    Args:
        path: Data directory; use :meth:`open`.
        step_ms: Base step.
        hot_window_ms: How much time is kept hot.
        clock: The present.
        limits: What is admitted.
    """

    def __init__(
        self, path: Path, *, step_ms: int, hot_window_ms: int, clock: Clock, limits: StoreLimits
    ) -> None:
        self._step_ms = step_ms
        self._heartbeat_ms = counter_heartbeat_ms(step_ms)
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._readers = 0
        self._blocks = HotBlocks(
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            max_series=limits.max_series,
            memory_bytes=limits.memory_bytes,
        )
        self._table = SeriesTable(self._blocks.max_series)
        self._index = TagIndex(self._table.words)
        self._planner = Planner(self._table, self._index)
        self._admission = Admission(self._table, limits, self._blocks.max_series, clock)
        self._log = FileJournal.open(path / "log")
        self._journal = FileJournal.open(path / "journal", keep_bytes=limits.journal_bytes)
        self._replay()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        step_ms: int,
        hot_window_ms: int,
        clock: Clock,
        limits: StoreLimits | None = None,
    ) -> MetricStore:
        """Open the store in ``path``, creating it if needed, and replay its log."""
        path.mkdir(parents=True, exist_ok=True)
        return cls(
            path,
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            clock=clock,
            limits=limits or StoreLimits(),
        )

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    @property
    def journal(self) -> Journal:
        """A journal for others (spans), bounded in size, apart from the metrics' own log."""
        return self._journal

    @property
    def series_count(self) -> int:
        """Number of series held."""
        return len(self._table)

    def completed_ms(self) -> int:
        """Return the newest step boundary whose interval is over."""
        return (self._clock.now_ms() - self._limits.grace_ms) // self._step_ms * self._step_ms

    def close(self) -> None:
        """Flush and release the files."""
        self._log.close()
        self._journal.close()

    # -- writing ---------------------------------------------------------------------------------

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``: logged, then visible. Samples outside the time bounds are refused."""
        identities = identities_of(batch.series)
        with self._lock:
            timely, rejected = self._check_times(batch.time_ms)
            resolved = self._admission.resolve(batch.series, identities)
            series = np.array(resolved.ids, dtype=np.int32)[batch.series_index]
            keep = timely & (series >= 0)
            if not keep.all():
                rejected += _refusals(resolved, batch.series_index[timely])
            self._commit(resolved, series[keep], batch.time_ms[keep], batch.value[keep])
        return Receipt(accepted=int(keep.sum()), rejected=rejected)

    def _commit(
        self, resolved: Resolved, series: IndexArray, time_ms: IntArray, value: FloatArray
    ) -> None:
        """Log, register and apply; on a failing log nothing has changed."""
        entries = []
        if resolved.new:
            new = records.encode_series((i, tags) for i, _, tags in resolved.new)
            entries.append((records.SERIES, new))
        if len(series):
            entries.append((records.SAMPLES, records.encode_samples(series, time_ms, value)))
        if entries:
            self._log.append_all(entries)
        for number, identity, tags in resolved.new:
            self._register(number, identity, tags)
        self._apply(series, time_ms, value)

    def _register(self, number: int, identity: bytes, tags: Tags) -> None:
        self._blocks.arrays.kind[number] = self._table.put(number, identity, tags)
        self._index.add(number, self._table.pairs(number))
        self._blocks.arrays.seen[number] = max(0, self._blocks.head) * BLOCK_STEPS

    def _apply(self, series: IndexArray, time_ms: IntArray, value: FloatArray) -> None:
        if not len(series):
            return
        newest = self._blocks.step_of(int(time_ms.max())) // BLOCK_STEPS
        moved = self._blocks.advance(newest)
        ingest(self._blocks.arrays, series, time_ms, value, self._step_ms, self._heartbeat_ms)
        if moved:
            self._expire()

    def _check_times(self, time_ms: IntArray) -> tuple[np.ndarray, list[Rejection]]:
        """Return which samples are within the hot window and not from the future."""
        newest = self._clock.now_ms() + max(self._limits.max_future_ms, self._step_ms)
        oldest = self._oldest_ms()
        late, early = time_ms <= oldest, time_ms > newest
        rejected = []
        if late.any():
            detail = f"older than {oldest} ms, the start of the hot window"
            rejected.append(Rejection(reason="dataTooOld", detail=detail, count=int(late.sum())))
        if early.any():
            detail = (
                f"newer than {newest} ms, the clock plus the tolerance; check the sender's clock"
            )
            count = int(early.sum())
            rejected.append(Rejection(reason="dataFromFuture", detail=detail, count=count))
        return ~(late | early), rejected

    def _oldest_ms(self) -> int:
        """The time before the first interval that hot blocks can hold."""
        present = self._blocks.step_of(self._clock.now_ms()) // BLOCK_STEPS
        head = max(self._blocks.head, present)
        first = max(0, head - self._blocks.ring_blocks + 1) * BLOCK_STEPS
        return (first - 1) * self._step_ms

    def _expire(self) -> None:
        """Forget series without a value in the ring, and reuse pages if nobody reads them."""
        arrays, top = self._blocks.arrays, self._table.top
        idle = (arrays.seen[:top] < self._blocks.first_step) & (self._table.alive[:top] == 1)
        gone = np.flatnonzero(idle)
        for series in gone.tolist():
            self._index.remove(series, self._table.drop(series))
        if len(gone):
            self._blocks.forget(gone)
        if self._readers == 0:
            self._blocks.recycle()

    def _replay(self) -> None:
        for kind, payload in self._log.records():
            if kind == records.SERIES:
                for number, tags in records.decode_series(payload):
                    self._restore(number, tags)
            elif kind == records.SAMPLES:
                series, time_ms, value = records.decode_samples(payload)
                known = (series < self._table.top) & (self._table.alive[series] == 1)
                self._apply(series[known], time_ms[known], value[known])

    def _restore(self, number: int, tags: Tags) -> None:
        if number < self._table.top and self._table.alive[number]:
            self._index.remove(number, self._table.drop(number))
            self._blocks.forget(np.array([number]))
        self._register(number, identity_of(tags), tags)

    # -- reading ---------------------------------------------------------------------------------

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request`` from the hot blocks."""
        window = request.window
        if window.step_ms % self._step_ms or window.start_ms % window.step_ms:
            raise QueryError(
                f"step {window.step_ms} ms and start {window.start_ms} ms must be multiples of "
                f"{self._step_ms} ms and of the step",
                kind="IllegalArgumentException",
            )
        every = request.aggregate is Aggregate.ALL
        with self._reading():
            with self._lock:
                plan = self._planner.plan(request.query, None if every else request.group_by)
            self._check_size(len(plan.tags), window.steps)
            return Lines(tags=plan.tags, values=self._aggregate(plan, request))

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        with self._lock:
            if isinstance(query, AnyOf):
                return self._index.keys()
            numbers = {n for s in self._matching(query) for n in self._table.pairs(s)[::2]}
            return sorted(self._table.words.texts[n] for n in numbers)

    def values(self, key: str, query: Query) -> list[str]:
        """Return the values of ``key`` among series that match, sorted."""
        with self._lock:
            if isinstance(query, AnyOf):
                return self._index.values(key)
            found = np.unique(self._table.column(key)[self._planner.matching(query)])
            return sorted(self._table.words.texts[n] for n in found.tolist() if n)

    def _matching(self, query: Query) -> Sequence[int]:
        ids: list[int] = self._planner.matching(query).tolist()
        return ids

    def _aggregate(self, plan: Plan, request: Fetch) -> FloatArray:
        window, groups = request.window, len(plan.tags)
        multiple = window.step_ms // self._step_ms
        first = window.start_ms // self._step_ms - multiple + 1
        op = aggregation.AGGREGATES[request.aggregate]
        hot = self._blocks.arrays
        if multiple == 1:
            return aggregation.aggregate(
                hot, plan.series, plan.group, groups, first, window.steps, op
            )
        cf = aggregation.CONSOLIDATIONS[request.consolidation]
        return aggregation.aggregate_consolidated(
            hot, plan.series, plan.group, groups, first, window.steps, multiple, op, cf
        )

    def _check_size(self, lines: int, columns: int) -> None:
        if lines * columns > self._limits.max_fetch_values:
            raise QueryError(
                f"{lines} lines x {columns} columns exceed {self._limits.max_fetch_values} values; "
                "narrow the query, group by fewer keys or take a larger step",
                kind="IllegalArgumentException",
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold back the reuse of pages while a kernel reads them."""
        with self._lock:
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1


def _refusals(resolved: Resolved, series_index: IndexArray) -> list[Rejection]:
    """Return one rejection a refused series, with the number of its samples."""
    counts = np.bincount(series_index, minlength=len(resolved.ids))
    return [
        Rejection(reason=r.reason, detail=r.detail, tags=r.tags, count=int(counts[i]))
        for i, r in resolved.refused.items()
        if counts[i]
    ]
