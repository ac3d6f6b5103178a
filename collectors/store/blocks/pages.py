"""Packs one page where it stands: the raw page goes back once nobody reads.

Offsets take 16 bits, or 8 where the values of a page lie that close together, as those of most
gauges do within an hour. :mod:`page_codec` says what an offset is.

Sealing, with P rows of each sort::

    table[slot, series]   8   ─ seal_page ─▶   -(page + 1)
    values         pool[7]                     packed[row], page = row          span up to 65,533
                      │                        or small[row], page = P + row    span up to 254
                      ▼                        with base, divisor and whole of [page]
               waiting[RAW]: a reader may be in it

A value that comes later for a sealed page goes the other way: a raw page is taken, the values are
unpacked into it, and the packed row waits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import called, inlined
from collectors.model import FloatArray
from collectors.store.blocks.blocks import BLOCK_STEPS, PACKED, RAW, SMALL, HotArrays
from collectors.store.blocks.page_codec import page_fits

# Offsets from 1 to 255; 0 stands for "missing".
_SMALL_SPAN = 254.0


@inlined
def _take(hot: HotArrays, sort: int) -> np.int64:
    """Return the row of a packed page that is free, -1 when there is none."""
    if hot.tally[sort, 0] > 0:
        hot.tally[sort, 0] -= 1
        return np.int64(hot.free[sort, hot.tally[sort, 0]])
    if hot.tally[sort, 2] < hot.packed.shape[0]:
        hot.tally[sort, 2] += 1
        return np.int64(hot.tally[sort, 2] - 1)
    return np.int64(-1)


@inlined
def _pack(
    page: FloatArray, divisor: float, low: float, out: NDArray[np.uint8] | NDArray[np.uint16]
) -> int:
    """Write the offsets of ``page``; return how many values are missing."""
    missing = 0
    for i in range(BLOCK_STEPS):
        v = page[i]
        k = np.rint(v * divisor) - low + 1.0
        out[i] = np.uint16(k) if v == v else np.uint16(0)
        missing += 0 if v == v else 1
    return missing


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
    low = hot.bounds[0]
    sort = SMALL if hot.bounds[1] - low <= _SMALL_SPAN else PACKED
    row = _take(hot, sort)
    if row < 0:
        return False
    if sort == SMALL:
        page = row + hot.packed.shape[0]
        missing = _pack(hot.pool[raw], fitting, low, hot.small[row])
    else:
        page = row
        missing = _pack(hot.pool[raw], fitting, low, hot.packed[row])
    hot.divisor[page], hot.base[page] = fitting, low
    hot.whole[page] = 1 if missing == 0 else 0
    hot.table[slot, series] = -(page + 1)
    hot.waiting[RAW, hot.tally[RAW, 1]] = raw
    hot.tally[RAW, 1] += 1
    return True


@inlined
def _unpack(
    offsets: NDArray[np.uint8] | NDArray[np.uint16],
    base: float,
    divisor: float,
    out: FloatArray,
) -> None:
    for i in range(BLOCK_STEPS):
        k = np.int32(offsets[i])
        out[i] = (base + (np.float64(k) - 1.0)) / divisor if k > 0 else np.nan


@called
def unpack_page(hot: HotArrays, page: int | np.int64, out: FloatArray) -> None:
    """Write the values of the packed page of that number to ``out``."""
    rows = hot.packed.shape[0]
    if page >= rows:
        _unpack(hot.small[page - rows], hot.base[page], hot.divisor[page], out)
    else:
        _unpack(hot.packed[page], hot.base[page], hot.divisor[page], out)


@called
def give_back(hot: HotArrays, page: int | np.int64) -> None:
    """Return the packed page of that number once nobody reads."""
    rows = hot.packed.shape[0]
    sort = SMALL if page >= rows else PACKED
    hot.waiting[sort, hot.tally[sort, 1]] = page - rows if page >= rows else page
    hot.tally[sort, 1] += 1


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
