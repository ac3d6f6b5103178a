"""The hot tier: blocks, series and index together. Not locked; the metric store does that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.limits import Limits
from collectors.model import FloatArray, IndexArray, IntArray, Rejection
from collectors.stacklang.lines.database import Aggregate, Fetch
from collectors.stacklang.predicates.predicate import AnyOf, Query
from collectors.store.blocks import aggregation
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.ingest import counter_heartbeat_ms, ingest, ingest_rows
from collectors.store.blocks.parts import ingest_parts
from collectors.store.blocks.sealing import Sealer, gather_pages
from collectors.store.series.plan import Plan
from collectors.store.series.planner import Planner
from collectors.store.series.table import NewSeries, SeriesSnapshot, SeriesTable
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import TagRows

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
    """

    def __init__(self, *, step_ms: int, hot_window_ms: int, limits: Limits) -> None:
        self.step_ms = step_ms
        self._heartbeat_ms = counter_heartbeat_ms(step_ms)
        self.blocks = HotBlocks(
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            max_series=limits.max_series,
            memory_bytes=limits.memory_bytes,
        )
        self.series = SeriesTable(self.blocks.max_series)
        self.complete_from = 0
        self._sealer = Sealer(self.blocks)
        self._newest_ms = 0
        self._index = TagIndex(self.series.words)
        self._planner = Planner(self.series, self._index)

    # -- writing ---------------------------------------------------------------------------------

    def register(self, new: NewSeries) -> None:
        """Give ids to new series; series that held them are forgotten."""
        if not len(new):
            return
        self._evict(new.ids)
        arrays = self.blocks.arrays
        arrays.kind[new.ids] = self.series.put(new)
        arrays.seen[new.ids] = max(0, self.blocks.head) * BLOCK_STEPS
        self._index.add(new.ids, new.tags)
        self._planner.note_came(new.ids, new.tags)

    def _evict(self, ids: IndexArray) -> None:
        """Forget the series that hold ``ids``: in a replay, expiry shows in reuse alone."""
        held = ids[ids < self.series.top]
        self._forget(held[self.series.alive[held] == 1])

    def _forget(self, ids: NDArray[Any]) -> None:
        if len(ids):
            tags = self.series.drop(ids)
            self._index.remove(ids, tags)
            self._planner.note_gone(ids, tags)
            self.blocks.forget(ids)

    def shed_words(self) -> None:
        """Forget the words of series that are gone, and index the others again."""
        self.series.shed_words()
        live = self.series.live_ids()
        self._index.clear()
        self._index.add(live, self.series.tag_rows(live))
        self._planner.forget()

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

    def seal(self, block: int) -> None:
        """Pack the pages of a block that is just loaded and that nobody reads yet."""
        if block < self.blocks.head:
            self._sealer.seal_block(block, self.series.top)
            self.blocks.recycle()

    def block_of(self, time_ms: int) -> int:
        """Return the block that holds a sample of ``time_ms``."""
        return self.blocks.step_of(time_ms) // BLOCK_STEPS

    def known(self, series: IndexArray) -> NDArray[np.bool_]:
        """Return which ids are registered."""
        known = (series >= 0) & (series < self.series.top)
        known[known] = self.series.alive[series[known]] == 1
        return known

    def newest_value(self, series: int) -> float:
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

    def plan(self, request: Fetch) -> Plan:
        """Return which series belong to which line."""
        every = request.aggregate is Aggregate.ALL
        return self._planner.plan(request.query, None if every else request.group_by)

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
        if isinstance(query, AnyOf):
            return self._index.keys()
        keys = np.unique(self.series.tag_rows(self._planner.matching(query)).pairs[::2])
        return sorted(self.series.words.texts[key] for key in keys.tolist())

    def values(self, key: str, query: Query) -> list[str]:
        """Return the values of ``key`` among series that match, sorted."""
        if isinstance(query, AnyOf):
            return self._index.values(key)
        found = np.unique(self.series.column(key)[self._planner.matching(query)])
        return sorted(self.series.words.texts[number] for number in found.tolist() if number)

    def value_counts(self, key: str, query: Query) -> dict[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        found = self.series.column(key)[self._planner.matching(query)]
        numbers, counts = np.unique(found, return_counts=True)
        texts = self.series.words.texts
        pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
        return {texts[number]: count for number, count in pairs if number}

    def tag_rows(self, query: Query, most: int) -> tuple[int, TagRows, Sequence[str]]:
        """Return how many series match, the tags of ``most`` of them, and the words they name.

        All three stay as they are whatever is written later.
        """
        matching = self._planner.matching(query)
        rows = self.series.tag_rows(matching[:most])
        return len(matching), rows, self.series.words.texts
