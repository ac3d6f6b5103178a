"""Quiet: how much a series moves from value to value, over the last two hundred or so."""

from __future__ import annotations

from anomaly.detectors.novelty.row import BLOCK, BLOCK_COUNT, BLOCKS, IN_BLOCK, MOVED, RowArray
from collectors.kernel import inlined

_BLOCK_VALUES = 48


@inlined
def movement(rows: RowArray, i: int, moved: float) -> float:
    """Take in how far the newest value is from the one before; return the mean of late."""
    rows[i, BLOCK] += moved
    rows[i, IN_BLOCK] += 1.0
    finished = rows[i, BLOCK_COUNT]
    total = rows[i, BLOCK]
    count = rows[i, IN_BLOCK] + min(float(BLOCKS), finished) * _BLOCK_VALUES
    for block in range(BLOCKS):
        total += rows[i, MOVED + block]
    if rows[i, IN_BLOCK] >= _BLOCK_VALUES:
        rows[i, MOVED + int(finished) % BLOCKS] = rows[i, BLOCK]
        # From 8 on it goes round between 4 and 8: only the place and "all are full" matter.
        rows[i, BLOCK_COUNT] = finished + 1.0 if finished < 2 * BLOCKS - 1 else float(BLOCKS)
        rows[i, BLOCK] = 0.0
        rows[i, IN_BLOCK] = 0.0
    return float(total / count)
