"""Blocks when time is set back: what was stamped by a time that is yet to come goes."""

from __future__ import annotations

import numpy as np

from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.sealing import gather_pages


def empty_after(blocks: HotBlocks, step: int, top: int) -> None:
    """Empty all steps after ``step``, of the first ``top`` series; the store's lock is held."""
    arrays = blocks.arrays
    for slot, block in enumerate(arrays.ring.tolist()):
        row = arrays.table[slot]
        if block * BLOCK_STEPS > step:
            arrays.ring[slot] = -1
            arrays.dirty[slot] = arrays.unsaved[slot] = 0
            used = np.flatnonzero(row)
            blocks.retire(row[used])
            row[used] = 0
        elif block >= 0 and step < (block + 1) * BLOCK_STEPS - 1:
            _cut(blocks, slot, block, step + 1 - block * BLOCK_STEPS, top)
    blocks.head = min(blocks.head, step // BLOCK_STEPS)


def _cut(blocks: HotBlocks, slot: int, block: int, columns: int, top: int) -> None:
    """Keep the first ``columns`` steps of a block, in pages of their own."""
    arrays = blocks.arrays
    series = np.flatnonzero(arrays.table[slot, :top]).astype(np.int32)
    before = arrays.table[slot, series].copy()
    pages = gather_pages(arrays, slot, series)
    pages[:, columns:] = np.nan
    blocks.load(block, series, pages)
    blocks.retire(before)
    arrays.dirty[slot] = arrays.unsaved[slot] = 1
