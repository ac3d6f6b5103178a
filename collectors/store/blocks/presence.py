"""Which series have samples in some steps, without unpacking more than the blocks at both ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.budget import look
from collectors.model import IndexArray
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.readings import Readings
from collectors.store.blocks.step_samples import pages_of

# A block of so many series is some two megabytes.
_SERIES_AT_ONCE = 4_096


def present(
    blocks: HotBlocks, readings: Readings, ids: IndexArray, first: int, last: int
) -> NDArray[np.bool_]:
    """Return which series have a sample in the steps from ``first`` to ``last``, both included.

    A series of which no sample is known counts as one that has some. Pages are read: the caller
    keeps them from being recycled.

    Args:
        blocks: Values and rates.
        readings: What counters showed.
        ids: (S,) series.
        first: First step.
        last: Last step.

    Returns:
        (S,) booleans.
    """
    if last < first:
        return np.zeros(len(ids), dtype=np.bool_)
    arrays = blocks.arrays
    newest = np.maximum(arrays.seen[ids], -(-arrays.last_ms[ids] // blocks.step_ms))
    found: NDArray[np.bool_] = (newest == 0) | ((newest >= first) & (newest <= last))
    first = max(first, blocks.first_step)
    last = min(last, (blocks.head + 1) * BLOCK_STEPS - 1)
    for block in range(first // BLOCK_STEPS, last // BLOCK_STEPS + 1):
        low, high = max(first, block * BLOCK_STEPS), min(last, (block + 1) * BLOCK_STEPS - 1)
        for begin in range(0, len(ids), _SERIES_AT_ONCE):
            look()
            part = slice(begin, begin + _SERIES_AT_ONCE)
            rows = begin + np.flatnonzero(~found[part] & (newest[part] > last))
            for held in (blocks, readings.counters):
                found[rows[_in_block(held, ids[rows], low, high)]] = True
    return found


def _in_block(blocks: HotBlocks, ids: IndexArray, low: int, high: int) -> NDArray[np.bool_]:
    """Return which series have a value from ``low`` to ``high``, steps of one block."""
    block, columns = low // BLOCK_STEPS, high - low + 1
    if columns < BLOCK_STEPS:
        missing = np.isnan(pages_of(blocks, ids, low, columns))
        some: NDArray[np.bool_] = missing.sum(axis=1) < columns
        return some
    slot = block % blocks.ring_blocks
    if blocks.arrays.ring[slot] != block:
        return np.zeros(len(ids), dtype=np.bool_)
    paged: NDArray[np.bool_] = blocks.arrays.table[slot, ids] != 0
    return paged
