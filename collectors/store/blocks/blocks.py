"""Hot blocks: the last hours of every series, in pages of one pool.

Time is cut into blocks of :data:`BLOCK_STEPS` steps; a ring holds the newest blocks. A series that
has a value within a block owns one *page* there. ``table[slot, series]`` says which: above zero it
is a row of the pool plus one; below zero, once the page is sealed, minus (a row of the packed pages
plus one); 0 is none. A value at step index ``i`` stands for the interval that *ends* at
``i * step_ms``. Missing values are NaN.

::

    table      slot 0   slot 1   slot 2        ring  [ 120, 121, 119 ]: slot 2 holds block 119
    series 0      1       -1        0
    series 1      3        2      -(P+1)       0: no value of series 0 in block 119
                  │        │        │
                  │        │        └ below -P: small[0], with base[P] and divisor[P]
                  │        └ 2: pool[1], raw                     -1: packed[0], base[0], divisor[0]
                  └ 3: pool[2]

    step i of the store: block i // 60, slot block % R, column i % 60 of the page

Pages are taken from the stack of returned ones, else from the end that was never used. A page that
is returned waits until nobody reads, since a reader may have looked it up before::

    fresh ──▶ in use ──▶ waiting ──▶ free ──▶ in use      tally[sort] = free, waiting, ever taken
                 (returned)   (recycle)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.errors import StorageError
from collectors.model import FloatArray
from collectors.store.blocks.page_codec import divisors_for
from collectors.store.series.reserve import reserve

BLOCK_STEPS = 60
NEWS_BASE = 1 << 62
RAW, PACKED, SMALL = 0, 1, 2
OUTSIDE, NO_PAGE = 0, 1
_FREE, _WAITING, _FRESH = 0, 1, 2


class HotArrays(NamedTuple):
    """What the kernels see; N series, R ring slots, P pages of each sort.

    Attributes:
        kind: (N,) int8, position of the kind in ``KINDS``.
        last_ms: (2 N,) int64, time of the newest sample, 0 for none. From N on, here and in the
            next two: the same of a run of late samples.
        last_value: (2 N,) float64, the newest raw counter value.
        partial: (2 N,) float64, weighted value of the interval that is still open.
        seen: (N,) int64, newest step index that got a value.
        news: (N,) int64, ``NEWS_BASE`` minus the oldest step index that got a value since somebody
            last asked, 0 for none.
        pool: (P, BLOCK_STEPS) float64.
        packed: (P, BLOCK_STEPS) uint16, sealed pages as :mod:`page_codec` packs them.
        small: (P, BLOCK_STEPS) uint8, sealed pages whose values lie so close that a byte does.
        base: (2 P,) float64, smallest whole number of a packed page, the small ones from P on.
        divisor: (2 P,) float64, what its whole numbers are divided by.
        whole: (2 P,) uint8, 1 when no value of a packed page is missing.
        table: (R, N) int32, where each series' page is.
        ring: (R,) int64, the block in each slot, -1 for none.
        dirty: (R,) uint8, 1 when written since the last checkpoint.
        unsaved: (R,) uint8, 1 when written since history last took the block.
        free: (3, P) int32, stacks of returned pages, RAW, PACKED and SMALL.
        waiting: (3, P) int32, pages that are returned once nobody reads.
        tally: (3, 3) int64, for each sort: pages free, pages waiting, pages ever taken.
        divisors: (D,) float64, divisors that packing tries.
        bounds: (2,) float64, room for packing to work in.
        dropped: (2,) int64, values that found no place since somebody last looked: outside the
            ring, and without a page left.
    """

    kind: NDArray[np.int8]
    last_ms: NDArray[np.int64]
    last_value: NDArray[np.float64]
    partial: NDArray[np.float64]
    seen: NDArray[np.int64]
    news: NDArray[np.int64]
    pool: NDArray[np.float64]
    packed: NDArray[np.uint16]
    small: NDArray[np.uint8]
    base: NDArray[np.float64]
    divisor: NDArray[np.float64]
    whole: NDArray[np.uint8]
    table: NDArray[np.int32]
    ring: NDArray[np.int64]
    dirty: NDArray[np.uint8]
    unsaved: NDArray[np.uint8]
    free: NDArray[np.int32]
    waiting: NDArray[np.int32]
    tally: NDArray[np.int64]
    divisors: NDArray[np.float64]
    bounds: NDArray[np.float64]
    dropped: NDArray[np.int64]


def make_arrays(*, series: int, ring_blocks: int, pages: int, step_ms: int) -> HotArrays:
    """Reserve empty blocks for ``series`` series over ``ring_blocks`` blocks."""
    return HotArrays(
        kind=reserve((series,), np.int8),
        last_ms=reserve((2 * series,), np.int64),
        last_value=reserve((2 * series,), np.float64),
        partial=reserve((2 * series,), np.float64),
        seen=reserve((series,), np.int64),
        news=reserve((series,), np.int64),
        pool=reserve((pages, BLOCK_STEPS), np.float64),
        packed=reserve((pages, BLOCK_STEPS), np.uint16),
        small=reserve((pages, BLOCK_STEPS), np.uint8),
        base=reserve((2 * pages,), np.float64),
        divisor=reserve((2 * pages,), np.float64),
        whole=reserve((2 * pages,), np.uint8),
        table=reserve((ring_blocks, series), np.int32),
        ring=np.full(ring_blocks, -1, dtype=np.int64),
        dirty=np.zeros(ring_blocks, dtype=np.uint8),
        unsaved=np.zeros(ring_blocks, dtype=np.uint8),
        free=reserve((3, pages), np.int32),
        waiting=reserve((3, pages), np.int32),
        tally=np.zeros((3, 3), dtype=np.int64),
        divisors=divisors_for(step_ms),
        bounds=np.zeros(2),
        dropped=np.zeros(2, dtype=np.int64),
    )


class HotBlocks:
    """The ring: which blocks are held, advancing, and forgetting.

    Args:
        step_ms: Base step, milliseconds.
        hot_window_ms: How much time must stay hot.
        max_series: Upper bound on series ids.
        memory_bytes: Memory for pages; lowers ``max_series`` when it would not suffice.
    """

    def __init__(
        self, *, step_ms: int, hot_window_ms: int, max_series: int, memory_bytes: int
    ) -> None:
        self.step_ms = step_ms
        self.ring_blocks = -(-hot_window_ms // (step_ms * BLOCK_STEPS)) + 1
        per_series = self.ring_blocks * BLOCK_STEPS * 8
        self.max_series = max(1, min(max_series, memory_bytes // per_series))
        pages = self.max_series * self.ring_blocks
        self.arrays = make_arrays(
            series=self.max_series, ring_blocks=self.ring_blocks, pages=pages, step_ms=step_ms
        )
        self.head = -1

    def step_of(self, time_ms: int) -> int:
        """Return the index of the step whose interval contains ``time_ms`` (its end included)."""
        return -(-time_ms // self.step_ms)

    @property
    def first_step(self) -> int:
        """The oldest step index that the ring can hold; 0 before any data."""
        return max(0, (self.head - self.ring_blocks + 1) * BLOCK_STEPS)

    def advance(self, block: int) -> bool:
        """Make room so that ``block`` is in the ring; return whether anything moved."""
        if block <= self.head:
            return False
        oldest = block - self.ring_blocks + 1
        start = max(oldest, self.head + 1) if self.head >= 0 else oldest
        for fresh in range(max(0, start), block + 1):
            self._replace(fresh)
        self.head = block
        return True

    def _replace(self, block: int) -> None:
        slot = block % self.ring_blocks
        row = self.arrays.table[slot]
        if self.arrays.ring[slot] >= 0:
            self.arrays.ring[slot] = -1
            used = np.flatnonzero(row)
            self.retire(row[used])
            row[used] = 0
        self.arrays.ring[slot] = block
        self.arrays.dirty[slot] = 0
        self.arrays.unsaved[slot] = 0

    def load(self, block: int, series: NDArray[np.int32], pages: FloatArray) -> None:
        """Put pages (n, BLOCK_STEPS) of ``series`` into ``block``, which has none of them yet."""
        slot = block % self.ring_blocks
        tally = self.arrays.tally
        if self.arrays.ring[slot] != block:
            return
        start = int(tally[RAW, _FRESH])
        if start + len(series) > len(self.arrays.pool):
            raise StorageError(
                f"no room for block {block}: {len(series)} pages; raise memory_bytes"
            )
        self.arrays.pool[start : start + len(series)] = pages
        self.arrays.table[slot, series] = np.arange(start, start + len(series)) + 1
        tally[RAW, _FRESH] = start + len(series)

    def mark_dirty(self, blocks: Iterable[int]) -> None:
        """Have the next checkpoint write ``blocks`` again."""
        self._mark(self.arrays.dirty, blocks)

    def mark_unsaved(self, blocks: Iterable[int]) -> None:
        """Have history take ``blocks`` again."""
        self._mark(self.arrays.unsaved, blocks)

    def _mark(self, flags: NDArray[np.uint8], blocks: Iterable[int]) -> None:
        for block in blocks:
            slot = block % self.ring_blocks
            if self.arrays.ring[slot] == block:
                flags[slot] = 1

    def waiting(self) -> list[int]:
        """Return how many pages of each sort were returned and are not available yet."""
        return [int(self.arrays.tally[sort, _WAITING]) for sort in (RAW, PACKED, SMALL)]

    def recycle(self, counts: Sequence[int] | None = None) -> None:
        """Make pages that were returned available again; call only while nobody reads them.

        Args:
            counts: How many of each sort, those that were returned first; None for all.
        """
        arrays = self.arrays
        for sort, count in zip((RAW, PACKED, SMALL), counts or self.waiting(), strict=True):
            top, waiting = int(arrays.tally[sort, _FREE]), int(arrays.tally[sort, _WAITING])
            arrays.free[sort, top : top + count] = arrays.waiting[sort, :count]
            arrays.tally[sort, _FREE] = top + count
            arrays.waiting[sort, : waiting - count] = arrays.waiting[sort, count:waiting].copy()
            arrays.tally[sort, _WAITING] = waiting - count

    def retire(self, entries: NDArray[np.int32]) -> None:
        """Return the pages of table entries once nobody reads."""
        sealed, rows = -entries[entries < 0] - 1, len(self.arrays.packed)
        sorts = (
            (RAW, entries[entries > 0] - 1),
            (PACKED, sealed[sealed < rows]),
            (SMALL, sealed[sealed >= rows] - rows),
        )
        for sort, pages in sorts:
            start = int(self.arrays.tally[sort, _WAITING])
            self.arrays.waiting[sort, start : start + len(pages)] = pages
            self.arrays.tally[sort, _WAITING] = start + len(pages)

    def forget(self, series: NDArray[Any]) -> None:
        """Reset the state of ``series`` so that their ids can be given to others."""
        for column in (self.arrays.last_ms, self.arrays.last_value, self.arrays.partial):
            column[series] = 0
            column[len(self.arrays.kind) + series] = 0
        self.arrays.seen[series] = 0
        self.arrays.news[series] = 0
        for slot in range(self.ring_blocks):
            row = self.arrays.table[slot]
            self.retire(row[series])
            row[series] = 0
