"""Packs one page where it stands: the raw page goes back once nobody reads."""

from __future__ import annotations

import numpy as np

from collectors.store.blocks import BLOCK_STEPS, PACKED, RAW, HotArrays
from collectors.store.kernel import called, inlined
from collectors.store.page_codec import page_fits


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


@called
def seal_page(hot: HotArrays, slot: int | np.int64, series: int) -> bool:
    """Pack the page of ``series`` in ``slot`` if it fits; False when no packed page is left."""
    raw = np.int64(hot.table[slot, series]) - 1
    if raw < 0:
        return True
    fitting = 0.0
    for d in range(len(hot.divisors)):
        if page_fits(hot.pool[raw], hot.divisors[d], hot.bounds):
            fitting = hot.divisors[d]
            break
    if fitting == 0.0:
        return True
    page = _take_packed(hot)
    if page < 0:
        return False
    low = hot.bounds[0]
    hot.divisor[page], hot.base[page] = fitting, low
    missing = 0
    for i in range(BLOCK_STEPS):
        v = hot.pool[raw, i]
        k = np.rint(v * fitting) - low + 1.0
        hot.packed[page, i] = np.uint16(k) if v == v else np.uint16(0)
        missing += 0 if v == v else 1
    hot.whole[page] = 1 if missing == 0 else 0
    hot.table[slot, series] = -(page + 1)
    hot.waiting[RAW, hot.tally[RAW, 1]] = raw
    hot.tally[RAW, 1] += 1
    return True


@called
def seal_full(hot: HotArrays, block: int | np.int64, series: int) -> None:
    """Pack the page of ``series`` in ``block`` if no value is missing from its first one on.

    Called when the series begins its next block: such a page is not expected to change, and need
    not wait until the whole block has settled.
    """
    if block < 0:
        return
    slot = np.int64(np.uint32(block) % np.uint32(hot.ring.shape[0]))
    raw = np.int64(hot.table[slot, series]) - 1
    if hot.ring[slot] != block or raw < 0:
        return
    begun = False
    for i in range(BLOCK_STEPS):
        v = hot.pool[raw, i]
        if v == v:
            begun = True
        elif begun:
            return
    seal_page(hot, slot, series)
