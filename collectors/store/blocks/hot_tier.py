"""The hot tier: blocks, series and index together.

Whoever writes holds the store's lock. Readers hold none but the planner's: what they read stays as
it is, see :mod:`collectors.store.series.planner`.
"""

from __future__ import annotations

import copy
import heapq
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.budget import look
from collectors.limits import Limits
from collectors.model import Counted, FloatArray, IndexArray, IntArray, Rejection
from collectors.stacklang.lines.database import Aggregate, Fetch
from collectors.stacklang.predicates.predicate import AnyOf, Query
from collectors.store.blocks import aggregation
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.ingest import counter_heartbeat_ms, ingest, ingest_rows
from collectors.store.blocks.parts import ingest_parts
from collectors.store.blocks.readings import Readings
from collectors.store.blocks.rewinding import empty_after
from collectors.store.blocks.sealing import Sealer, gather_pages
from collectors.store.series.plan import Admit, Plan
from collectors.store.series.planner import Matching, Planner
from collectors.store.series.slots import slots_of
from collectors.store.series.table import NewSeries, SeriesSnapshot, SeriesTable
from collectors.store.series.tag_rows import TagRows
from collectors.store.series.tag_view import TagView

# How many series or texts are looked at before another query has its turn.
_SERIES_AT_ONCE = 8_192

# Reason and detail, as blocks count: outside the ring, without a page.
_DROPPED = (
    ("outsideRing", "values lie outside the steps that are held; compare the sender's clock"),
    ("noPage", "no memory was left for values; raise TOCSIN_MEMORY_BYTES"),
)


class HotTier:
    """The last hours of every series, in memory.

    Args:
        step_ms: Base step.
        hot_window_ms: How much time is kept.
        limits: Bounds on series and memory.
        lock: The store's, held by whoever writes.
    """

    def __init__(
        self, *, step_ms: int, hot_window_ms: int, limits: Limits, lock: threading.Lock
    ) -> None:
        self._lock = lock
        self.step_ms = step_ms
        self._heartbeat_ms = counter_heartbeat_ms(step_ms)
        self.blocks = HotBlocks(
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            max_series=limits.max_series,
            memory_bytes=limits.memory_bytes,
        )
        self.readings = Readings(self.blocks, limits.memory_bytes)
        self.series = SeriesTable(self.blocks.max_series)
        self.complete_from = 0
        self._sealer = Sealer(self.blocks)
        self._newest_ms = 0
        self._planner = Planner(self.series, lock)
        self._slots: NDArray[np.bool_] | None = None

    @property
    def every_blocks(self) -> tuple[HotBlocks, ...]:
        """The blocks, and those of the readings beside them."""
        return self.blocks, self.readings.counters, self.readings.times

    # -- writing ---------------------------------------------------------------------------------

    def register(self, new: NewSeries) -> None:
        """Give ids to new series; series that held them are forgotten."""
        if not len(new):
            return
        self._evict(new.ids)
        arrays = self.blocks.arrays
        arrays.kind[new.ids] = self.series.put(new)
        arrays.seen[new.ids] = max(0, self.blocks.head) * BLOCK_STEPS
        self._planner.note_came(new.ids, new.tags)

    def _evict(self, ids: IndexArray) -> None:
        """Forget the series that hold ``ids``: in a replay, expiry shows in reuse alone."""
        held = ids[ids < self.series.top]
        self._forget(held[self.series.alive[held] == 1])

    def _forget(self, ids: NDArray[Any]) -> None:
        if len(ids):
            tags = self.series.drop(ids)
            self._planner.note_gone(ids, tags)
            self.blocks.forget(ids)
            self.readings.forget(ids)

    def shed_words(self) -> None:
        """Forget the words of series that are gone, and index the others again.

        Readers who are at work go on with the words, the tags and the index that they began with.
        """
        self.series.shed_words()
        live = self.series.live_ids()
        self._planner = Planner(self.series, self._lock)
        self._planner.note_came(live, self.series.tag_rows(live))

    def register_snapshot(self, snapshot: SeriesSnapshot) -> None:
        """Register series as the log and checkpoints have them."""
        self.register(snapshot.series(self.series.words, self.series.capacity))

    def load_series(self, snapshot: SeriesSnapshot, state: dict[str, NDArray[Any]]) -> None:
        """Register the series of a checkpoint and set their state."""
        self.register_snapshot(snapshot)
        self.series.free_gaps()
        for name, column in state.items():
            getattr(self.blocks.arrays, name)[: len(column)] = column[: self.series.capacity]

    def apply(
        self, series: IndexArray, time_ms: IntArray, value: FloatArray, *, whole: bool = False
    ) -> None:
        """Normalise samples into the blocks; ``whole``: counters that fall count whole."""
        if not len(series):
            return
        newest_ms = int(time_ms.max())
        self.blocks.advance(self.block_of(newest_ms))
        arrays = self.blocks.arrays
        ingest(arrays, series, time_ms, value, self.step_ms, self._heartbeat_ms, int(whole))
        if whole:
            self.readings.apply(series, np.ones(len(series), dtype=np.int32), time_ms, value)
        self._seal_some(newest_ms, len(series))

    def apply_parts(
        self, series: IndexArray, start_ms: IntArray, time_ms: IntArray, value: FloatArray
    ) -> None:
        """Add parts to the series that they belong to; see :class:`~collectors.model.Parts`."""
        if not len(series):
            return
        newest_ms = int(time_ms.max())
        self.blocks.advance(self.block_of(newest_ms))
        ingest_parts(self.blocks.arrays, series, start_ms, time_ms, value, self.step_ms)
        self._seal_some(newest_ms, len(series))

    def apply_rows(
        self,
        ids: IndexArray,
        samples: IndexArray,
        time_ms: IntArray,
        value: FloatArray,
        newest_ms: int,
    ) -> None:
        """As :meth:`apply` for samples that follow one another by series.

        Args:
            ids: (S,) series, below zero to leave a row out.
            samples: (S,) how many samples each has.
            time_ms: (N,) their times.
            value: (N,) their values.
            newest_ms: The newest of those times.
        """
        self.blocks.advance(self.block_of(newest_ms))
        arrays = self.blocks.arrays
        ingest_rows(arrays, ids, samples, time_ms, value, self.step_ms, self._heartbeat_ms)
        self.readings.apply(ids, samples, time_ms, value)
        self._seal_some(newest_ms, len(time_ms))

    def take_dropped(self) -> list[Rejection]:
        """Tell of values that were taken since the last call and found no place."""
        dropped = self.blocks.arrays.dropped
        counts = dropped.tolist() if dropped.any() else (0, 0)
        dropped[:] = 0
        return [
            Rejection(reason=reason, detail=detail, count=count)
            for (reason, detail), count in zip(_DROPPED, counts, strict=True)
            if count
        ]

    def _seal_some(self, newest_ms: int, samples: int) -> None:
        self._newest_ms = max(self._newest_ms, newest_ms)
        self._sealer.work(self._newest_ms // self.step_ms, self.series.top, samples)
        self.readings.seal(self._newest_ms // self.step_ms, self.series.top, samples)

    def forget_after(self, time_ms: int) -> None:
        """Forget the samples later than ``time_ms``: they were stamped by a time that was not."""
        step = time_ms // self.step_ms
        # What the ring dropped while it was further on is not held in full any more.
        self.complete_from = max(min(self.complete_from, step + 1), self.blocks.first_step)
        empty_after(self.blocks, step, self.series.top)
        self.readings.forget_after(step, self.series.top)
        arrays = self.blocks.arrays
        later = arrays.last_ms > time_ms
        for column in (arrays.last_ms, arrays.last_value, arrays.partial):
            column[later] = 0
        np.minimum(arrays.seen, step, out=arrays.seen)
        arrays.news[:] = 0
        self._newest_ms = min(self._newest_ms, time_ms)

    def advance(self, block: int) -> None:
        """Make room for ``block``, for readings too."""
        self.blocks.advance(block)
        self.readings.follow()

    def seal(self, block: int) -> None:
        """Pack the pages of a block that is just loaded and that nobody reads yet."""
        if block < self.blocks.head:
            self._sealer.seal_block(block, self.series.top)
            self.readings.seal_block(block, self.series.top)
            for blocks in self.every_blocks:
                blocks.recycle()

    def block_of(self, time_ms: int) -> int:
        """Return the block that holds a sample of ``time_ms``."""
        return self.blocks.step_of(time_ms) // BLOCK_STEPS

    def known(self, series: IndexArray) -> NDArray[np.bool_]:
        """Return which ids are registered."""
        known = (series >= 0) & (series < self.series.top)
        known[known] = self.series.alive[series[known]] == 1
        return known

    def counted(self, series: int, *, gauge: bool) -> Counted:
        """Return what is known of a series that is held; of a gauge its newest value too."""
        return Counted(
            time_ms=int(self.blocks.arrays.last_ms[series]),
            value=self._newest_value(series) if gauge else float("nan"),
        )

    def _newest_value(self, series: int) -> float:
        """Return the value of the newest step that has one, NaN without any."""
        block, column = divmod(int(self.blocks.arrays.seen[series]), BLOCK_STEPS)
        slot = block % self.blocks.ring_blocks
        arrays = self.blocks.arrays
        if arrays.ring[slot] != block or not arrays.table[slot, series]:
            return float("nan")
        return float(gather_pages(arrays, slot, np.array([series], dtype=np.int32))[0, column])

    def expire(self) -> None:
        """Forget series without a value in the ring."""
        arrays, top = self.blocks.arrays, self.series.top
        idle = (arrays.seen[:top] < self.blocks.first_step) & (self.series.alive[:top] == 1)
        self._forget(np.flatnonzero(idle))

    def oldest_ms(self, now_ms: int) -> int:
        """Return the time before the first interval that the blocks can hold at ``now_ms``."""
        head = max(self.blocks.head, self.block_of(now_ms))
        first = max(0, head - self.blocks.ring_blocks + 1) * BLOCK_STEPS
        return (first - 1) * self.step_ms

    @property
    def first_step(self) -> int:
        """The oldest step that the blocks hold in full."""
        return max(self.complete_from, self.blocks.first_step)

    # -- reading ---------------------------------------------------------------------------------

    def share(self, slots: NDArray[np.bool_]) -> HotTier:
        """Return the same for one question about the series of some slots, (256,), alone."""
        share = copy.copy(self)
        share._slots = slots  # noqa: SLF001 - its own
        return share

    def plan(self, request: Fetch, admit: Admit | None = None) -> Plan:
        """Return which series belong to which line; ``admit`` may refuse their number."""
        every = request.aggregate is Aggregate.ALL
        plan = self._planner.plan(request.query, None if every else request.group_by, admit)
        if self._slots is None:
            return plan
        return plan.take(self._slots[slots_of(self.view(), plan.series)])

    def matching(self, query: Query) -> Matching:
        """Return the series that ``query`` holds for, and the tags of all at that moment."""
        found = self._planner.matching(query)
        if self._slots is None:
            return found
        held = self._slots[slots_of(found.view, found.series)]
        return replace(found, series=found.series[held])

    def view(self) -> TagView:
        """Return the tags of all series as they are now."""
        with self._lock:
            return self.series.view()

    def aggregate(self, plan: Plan, request: Fetch, skip: int = 0) -> FloatArray:
        """Return the lines of ``plan`` without the first ``skip`` columns of the window."""
        window, groups = request.window, len(plan.tags)
        multiple = window.step_ms // self.step_ms
        first = window.start_ms // self.step_ms + (skip - 1) * multiple + 1
        return aggregation.aggregate(
            self.blocks.arrays,
            plan.series,
            plan.group,
            groups=groups,
            first=first,
            columns=window.steps - skip,
            op=aggregation.AGGREGATES[request.aggregate],
            multiple=multiple,
            cf=aggregation.CONSOLIDATIONS[request.consolidation],
        )

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        if isinstance(query, AnyOf) and self._slots is None:
            return self._planner.keys()
        found = self.matching(query)
        keys: set[int] = set()
        for begin in range(0, len(found.series), _SERIES_AT_ONCE):
            look()
            part = found.series[begin : begin + _SERIES_AT_ONCE]
            rows = found.view.tag_rows(part)
            pairs = rows.pairs.reshape(-1, 2)[
                np.repeat(found.view.unchanged(part), rows.counts // 2)
            ]
            keys.update(np.unique(pairs[:, 0]).tolist())
        return sorted(found.view.words.texts[key] for key in keys)

    def values(self, key: str, query: Query, after: str = "", most: int | None = None) -> list[str]:
        """Return the values of ``key`` among series that match, sorted.

        Args:
            key: Of the tag.
            query: Which series.
            after: Values up to this one are left out.
            most: How many are wanted, the least ones.
        """
        if isinstance(query, AnyOf) and self._slots is None:
            numbers, view = self._planner.values(key)
        else:
            found = self.matching(query)
            numbers, view = _values_of(found.series, found.view, key), found.view
        words = view.words.texts
        used = np.zeros(len(words), dtype=np.bool_)
        used[numbers] = True
        texts = _texts(np.flatnonzero(used).astype(np.int32), words)
        return sorted(_all_after(texts, after)) if most is None else _least(texts, after, most)

    def value_counts(self, key: str, query: Query) -> dict[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        found = self.matching(query)
        values = _values_of(found.series, found.view, key)
        numbers, counts = np.unique(values, return_counts=True)
        texts = found.view.words.texts
        pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
        return {texts[number]: count for number, count in pairs if number}

    def tag_rows(self, query: Query, most: int) -> tuple[int, TagRows, Sequence[str]]:
        """Return how many series match, the tags of ``most`` of them, and the words they name.

        All three stay as they are whatever is written later.
        """
        found = self.matching(query)
        some = found.series[:most]
        rows = found.view.tag_rows(some)
        same = found.view.unchanged(some)
        rows = rows if same.all() else rows.take(np.flatnonzero(same))
        return len(found.series), rows, found.view.words.texts


def _values_of(series: IndexArray, view: TagView, key: str) -> IndexArray:
    """Return the numbers of the values of ``key`` of those series that have one."""
    values = view.values(series, key)
    return values[(values > 0) & view.unchanged(series)]


def _texts(numbers: IndexArray, texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts of some numbers, some at a time, so that no other thread waits long."""
    for begin in range(0, len(numbers), _SERIES_AT_ONCE):
        look()
        yield [texts[n] for n in numbers[begin : begin + _SERIES_AT_ONCE].tolist()]


def _all_after(parts: Iterator[list[str]], after: str) -> list[str]:
    return [text for part in parts for text in part if text > after]


def _least(parts: Iterator[list[str]], after: str, most: int) -> list[str]:
    """Return the ``most`` least texts beyond ``after``, sorted."""
    least: list[str] = []
    for part in parts:
        bound = least[-1] if len(least) >= most else None
        new = [t for t in part if t > after and (bound is None or t < bound)]
        if new:
            least = heapq.nsmallest(most, [*least, *new])
    return least
