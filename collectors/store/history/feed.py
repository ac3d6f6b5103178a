"""Carries completed blocks from the hot tier to history, each once, and again when it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IndexArray, IntArray, Tags
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.blocks.columns import Columns
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.sealing import gather_pages
from collectors.store.history.late_counters import late_rates
from collectors.store.history.metric_history import MetricHistory
from collectors.store.series.kinds import COUNTER
from collectors.store.series.reserve import reserve
from collectors.store.series.table import SeriesTable

# About as many rows as the engine puts into one part; all of a block at once would take 80 bytes a
# sample on their way.
_SERIES_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRows:
    """One block as rows: B blocks' values of S series.

    Attributes:
        block: Which block.
        fingerprint: (S,) uint64.
        pages: (S, BLOCK_STEPS) float64.
        new: Series that history was not told of yet.
    """

    block: int
    fingerprint: NDArray[np.uint64]
    pages: FloatArray
    new: Sequence[tuple[int, Tags]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRows:
    """Samples from before the hot window; three columns of one length, and their series.

    ``samples`` is how many of those sent they stand for.
    """

    samples: int
    fingerprint: NDArray[np.uint64]
    time_ms: IntArray
    value: FloatArray
    series: Sequence[tuple[int, Tags]]


class HistoryFeed:
    """Knows which blocks history lacks. Not locked; methods say what must be held.

    Args:
        hot: Where blocks come from.
        history: Where they go.
    """

    def __init__(self, hot: HotTier, history: MetricHistory) -> None:
        self._hot = hot
        self.history = history
        self._told: NDArray[np.int32] = reserve((hot.series.capacity,), np.int32)

    def unsaved(self, *, before_step: int) -> list[int]:
        """Return changed blocks that begin before ``before_step``; the store's lock is held."""
        arrays = self._hot.blocks.arrays
        return sorted(
            block
            for slot, block in enumerate(arrays.ring.tolist())
            if block >= 0 and arrays.unsaved[slot] and block * BLOCK_STEPS < before_step
        )

    def leaving(self, newest_block: int) -> list[int]:
        """Return changed blocks that go when ``newest_block`` comes; the lock is held."""
        first = newest_block - self._hot.blocks.ring_blocks + 1
        return self.unsaved(before_step=first * BLOCK_STEPS)

    def take(self, block: int) -> BlockRows | None:
        """Copy ``block`` and count it as saved; None when it has left. The lock is held."""
        arrays, series = self._hot.blocks.arrays, self._hot.series
        slot = block % self._hot.blocks.ring_blocks
        if arrays.ring[slot] != block:
            return None
        ids = np.flatnonzero(arrays.table[slot, : series.top]).astype(np.int32)
        fresh = ids[self._told[ids] != series.incarnation[ids]]
        new = _told(series, fresh)
        self._told[fresh] = series.incarnation[fresh]
        arrays.unsaved[slot] = 0
        return BlockRows(
            block=block,
            fingerprint=series.fingerprints(ids),
            pages=gather_pages(arrays, slot, ids),
            new=new,
        )

    def give_back(self, rows: BlockRows) -> None:
        """Count a block as not saved after all; the lock is held."""
        self._told[:] = 0
        self._hot.blocks.mark_unsaved([rows.block])

    def write(self, rows: BlockRows) -> None:
        """Write a block to history; no lock is needed."""
        self.history.write_series(rows.new)
        for first in range(0, len(rows.pages), _SERIES_AT_ONCE):
            pages = rows.pages[first : first + _SERIES_AT_ONCE]
            at, column = np.nonzero(~np.isnan(pages))
            time_ms = (rows.block * BLOCK_STEPS + column) * self._hot.step_ms
            self.history.write_samples(rows.fingerprint[first + at], time_ms, pages[at, column])

    def take_late(self, columns: Columns, after_ms: int) -> LateRows:
        """Copy samples from before the hot window and after ``after_ms``; the lock is held.

        Those of counters become rates with the others of their series that came with them, or by
        the intervals that they tell themselves.
        """
        table, step_ms = self._hot.series, self._hot.step_ms
        series, _, time_ms, value, _ = columns
        present = ~np.isnan(value) & (time_ms > after_ms)
        counter = self._hot.blocks.arrays.kind[series] == COUNTER
        kept = present & ~counter
        rates = late_rates(columns.chosen(present & counter), step_ms)
        ids = np.concatenate((series[kept], rates.series))
        return LateRows(
            samples=int(kept.sum()) + rates.used,
            fingerprint=table.fingerprints(ids),
            time_ms=np.concatenate((-(-time_ms[kept] // step_ms) * step_ms, rates.time_ms)),
            value=np.concatenate((value[kept], rates.value)),
            series=_told(table, np.unique(ids)),
        )

    def write_late(self, rows: LateRows) -> int:
        """Write late samples; return how many were sent; no lock is needed."""
        if not len(rows.value):
            return rows.samples
        self.history.write_series(rows.series)
        kept = self.history.write_late(rows.fingerprint, rows.time_ms, rows.value)
        return int(rows.samples * kept.mean())


def _told(series: SeriesTable, ids: IndexArray) -> list[tuple[int, dict[str, str]]]:
    """Return the fingerprint and tags of each of ``ids``."""
    numbers = series.fingerprints(ids).tolist()
    return [(number, series.tags(n)) for number, n in zip(numbers, ids.tolist(), strict=True)]
