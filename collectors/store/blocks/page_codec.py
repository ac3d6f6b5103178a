"""Lossless packing of pages: most series are small whole numbers over a common divisor.

A page whose values are all ``k / d`` for one divisor ``d`` and whole ``k`` within a span of 65,534
packs into 16-bit offsets from its smallest ``k``; 0 stands for "missing". Counts divide by 1,
decimals by 10 … 1000, rates of counters by the step in seconds. Every value is checked to come
back equal, so a page that does not fit stays as it is::

    page         0.5    0.7    NaN    0.4      divisor 10
    k = v * 10   5      7             4        base 4, the smallest
    offsets      2      4      0      1        k - base + 1; 0 is missing
    back         (base + offset - 1) / divisor
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

_SPAN = 65_534
_LARGEST = float(1 << 52)


class PackedPages(NamedTuple):
    """N pages, P of them packed and R kept raw.

    Attributes:
        divisor: (N,) float64, 0 where the page is raw.
        base: (N,) float64, smallest whole number of the page.
        offsets: (P, steps) uint16, whole number minus base plus one; 0 for missing.
        raw: (R, steps) float64.
    """

    divisor: FloatArray
    base: FloatArray
    offsets: NDArray[np.uint16]
    raw: FloatArray


def divisors_for(step_ms: int) -> FloatArray:
    """Return the divisors to try for a store with this step."""
    step_s = step_ms / 1000
    return np.unique(np.array([1.0, 10.0, 100.0, 1000.0, step_s, 10 * step_s]))


@inlined
def page_fits(page: FloatArray, divisor: float, bounds: FloatArray) -> bool:
    """Return whether all values are whole multiples of 1/divisor; leaves min and max in bounds."""
    low, high = np.inf, -np.inf
    for i in range(len(page)):
        v = page[i]
        if v != v:
            continue
        k = np.rint(v * divisor)
        if not (abs(k) <= _LARGEST and k / divisor == v):
            return False
        low, high = min(low, k), max(high, k)
    bounds[0], bounds[1] = low, high
    return high - low < _SPAN


@kernel
def _pack(
    pages: FloatArray,
    divisors: FloatArray,
    divisor: FloatArray,
    base: FloatArray,
    offsets: NDArray[np.uint16],
    bounds: FloatArray,
) -> None:
    packed = 0
    for n in range(len(pages)):
        divisor[n], base[n] = 0.0, 0.0
        for d in range(len(divisors)):
            if page_fits(pages[n], divisors[d], bounds):
                divisor[n] = divisors[d]
                break
        if divisor[n] == 0.0:
            continue
        base[n] = bounds[0]
        for i in range(pages.shape[1]):
            v = pages[n, i]
            k = np.rint(v * divisor[n]) - base[n] + 1.0
            offsets[packed, i] = np.uint16(k) if v == v else np.uint16(0)
        packed += 1


@kernel
def _unpack(packed: PackedPages, pages: FloatArray) -> None:
    p, r = 0, 0
    for n in range(len(pages)):
        d = packed.divisor[n]
        if d == 0.0:
            for i in range(pages.shape[1]):
                pages[n, i] = packed.raw[r, i]
            r += 1
            continue
        for i in range(pages.shape[1]):
            k = packed.offsets[p, i]
            pages[n, i] = (packed.base[n] + (np.float64(k) - 1.0)) / d if k > 0 else np.nan
        p += 1


def pack_pages(pages: FloatArray, step_ms: int) -> PackedPages:
    """Pack ``pages`` (n, steps)."""
    count, steps = pages.shape
    divisor, base = np.empty(count), np.empty(count)
    offsets = np.empty((count, steps), dtype=np.uint16)
    _pack(pages, divisors_for(step_ms), divisor, base, offsets, np.empty(2))
    fits = divisor > 0
    return PackedPages(
        divisor=divisor, base=base, offsets=offsets[: int(fits.sum())], raw=pages[~fits]
    )


def unpack_pages(packed: PackedPages, steps: int) -> FloatArray:
    """Return the pages as they were, shape (n, steps)."""
    pages = np.empty((len(packed.divisor), steps))
    _unpack(packed, pages)
    return pages
