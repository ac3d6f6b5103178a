"""Sealed pages: what no longer changes takes a quarter of the memory.

A page without a gap is packed losslessly (:mod:`page_codec`), where it fits, when its series begins
the next block; others some steps after their block is over. A late sample unpacks its page again.
Freed pages wait until nobody reads before they are used again, so a reader that looked a page up
may finish with it.
"""

from __future__ import annotations

import numpy as np

from collectors.kernel import kernel
from collectors.model import FloatArray, IndexArray
from collectors.store.blocks.blocks import (
    BLOCK_STEPS,
    HotArrays,
    HotBlocks,
)
from collectors.store.blocks.pages import seal_page, unpack_page

_SETTLED_STEPS = 10
_MIN_SERIES = 64
_SERIES_A_SAMPLE = 2


@kernel
def _seal(hot: HotArrays, slot: int, first: int, last: int) -> None:
    """Pack the pages of series ``first`` … ``last - 1`` in ``slot``, where they fit."""
    for series in range(first, last):
        if hot.table[slot, series] > 0 and not seal_page(hot, slot, series):
            return


@kernel
def _gather(hot: HotArrays, slot: int, series: IndexArray, out: FloatArray) -> None:
    for n in range(len(series)):
        entry = np.int64(hot.table[slot, series[n]])
        if entry > 0:
            for i in range(BLOCK_STEPS):
                out[n, i] = hot.pool[entry - 1, i]
        else:
            unpack_page(hot, -entry - 1, out[n])


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
        last = min(top, self._series + _MIN_SERIES + _SERIES_A_SAMPLE * samples)
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
            _seal(arrays, slot, first, last)
