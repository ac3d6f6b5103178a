"""Sealed pages: what no longer changes takes a quarter of the memory.

Some steps after a block is over its pages are packed losslessly (:mod:`page_codec`), where they
fit. A late sample unpacks its page again. Freed pages wait until nobody reads before they are used
again, so a reader that looked a page up may finish with it.
"""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray, IndexArray
from collectors.store.blocks import (
    BLOCK_STEPS,
    PACKED,
    RAW,
    HotArrays,
    HotBlocks,
)
from collectors.store.kernel import inlined, kernel
from collectors.store.page_codec import divisors_for, page_fits

_SETTLED_STEPS = 10
_LEAST_SERIES = 64
_SERIES_A_SAMPLE = 2


@inlined
def _take_packed(hot: HotArrays) -> np.int64:
    """Return a packed page that is free, -1 when there is none."""
    if hot.tally[PACKED, 0] > 0:
        hot.tally[PACKED, 0] -= 1
        return np.int64(hot.free[PACKED, hot.tally[PACKED, 0]])
    if hot.tally[PACKED, 2] < hot.packed.shape[0]:
        hot.tally[PACKED, 2] += 1
        return np.int64(hot.tally[PACKED, 2] - 1)
    return np.int64(-1)


@kernel
def _seal(
    hot: HotArrays,
    slot: int,
    first: int,
    last: int,
    divisors: FloatArray,
    bounds: FloatArray,
) -> None:
    """Pack the pages of series ``first`` … ``last - 1`` in ``slot``, where they fit."""
    for series in range(first, last):
        raw = np.int64(hot.table[slot, series]) - 1
        if raw < 0:
            continue
        fitting = 0.0
        for d in range(len(divisors)):
            if page_fits(hot.pool[raw], divisors[d], bounds):
                fitting = divisors[d]
                break
        if fitting == 0.0:
            continue
        page = _take_packed(hot)
        if page < 0:
            return
        hot.divisor[page], hot.base[page] = fitting, bounds[0]
        for i in range(BLOCK_STEPS):
            v = hot.pool[raw, i]
            k = np.rint(v * fitting) - bounds[0] + 1.0
            hot.packed[page, i] = np.uint16(k) if v == v else np.uint16(0)
        hot.table[slot, series] = -(page + 1)
        hot.waiting[RAW, hot.tally[RAW, 1]] = raw
        hot.tally[RAW, 1] += 1


@kernel
def _gather(hot: HotArrays, slot: int, series: IndexArray, out: FloatArray) -> None:
    for n in range(len(series)):
        entry = np.int64(hot.table[slot, series[n]])
        for i in range(BLOCK_STEPS):
            if entry > 0:
                out[n, i] = hot.pool[entry - 1, i]
            else:
                k = hot.packed[-entry - 1, i]
                whole = hot.base[-entry - 1] + (np.float64(k) - 1.0)
                out[n, i] = whole / hot.divisor[-entry - 1] if k > 0 else np.nan


def gather_pages(hot: HotArrays, slot: int, series: IndexArray) -> FloatArray:
    """Return the pages that ``series`` have in ``slot``, shape (n, BLOCK_STEPS)."""
    out = np.empty((len(series), BLOCK_STEPS))
    _gather(hot, slot, series, out)
    return out


class Sealer:
    """Seals blocks that are over, some series at a time, so that no call takes long.

    It goes round all blocks again and again, because late samples unpack pages and series that
    send their past in bulk bring pages to blocks that were sealed before.

    Args:
        blocks: What is sealed.
    """

    def __init__(self, blocks: HotBlocks) -> None:
        self._blocks = blocks
        self._divisors = divisors_for(blocks.step_ms)
        self._bounds = np.empty(2)
        self._block = -1
        self._series = 0

    def work(self, newest_step: int, top: int, samples: int) -> None:
        """Seal some more.

        Args:
            newest_step: Newest step that has a sample.
            top: Number of series ids in use.
            samples: Samples that were just written; the work is in proportion to them.
        """
        blocks = self._blocks
        oldest = blocks.head - blocks.ring_blocks + 1
        if self._block < oldest:
            self._block, self._series = oldest, 0
        if (self._block + 1) * BLOCK_STEPS + _SETTLED_STEPS > newest_step:
            self._block, self._series = oldest, 0
            return
        last = min(top, self._series + _LEAST_SERIES + _SERIES_A_SAMPLE * samples)
        self._seal(self._block, self._series, last)
        self._series = last
        if last == top:
            self._block, self._series = self._block + 1, 0

    def seal_block(self, block: int, top: int) -> None:
        """Seal all of ``block``."""
        self._seal(block, 0, top)

    def _seal(self, block: int, first: int, last: int) -> None:
        slot = block % self._blocks.ring_blocks
        arrays = self._blocks.arrays
        if arrays.ring[slot] == block:
            _seal(arrays, slot, first, last, self._divisors, self._bounds)
