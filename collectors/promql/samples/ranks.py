"""Compiled loops that sort the samples of each window."""

from __future__ import annotations

import math

from collectors.kernel import inlined, kernel
from collectors.model import FloatArray, IntArray


@inlined
def _sort(values: FloatArray, count: int) -> None:
    """Sort the first values in place, NaN before all (Shell's method: no memory, no recursion)."""
    gap = count // 2
    while gap > 0:
        for start in range(gap, count):
            value = values[start]
            at = start
            while at >= gap and (
                values[at - gap] > value or (math.isnan(value) and not math.isnan(values[at - gap]))
            ):
                values[at] = values[at - gap]
                at -= gap
            values[at] = value
        gap //= 2


@inlined
def quantile_of(ordered: FloatArray, count: int, q: float) -> float:
    """Return the ``q``-quantile of the first, sorted values, between two of them linearly."""
    if count == 0 or math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    rank = q * (count - 1)
    lower = max(0, math.floor(rank))
    upper = min(count - 1, lower + 1)
    weight = rank - math.floor(rank)
    return float(ordered[lower] * (1 - weight) + ordered[upper] * weight)


@kernel
def ranks_over_windows(
    values: FloatArray,
    lows: IntArray,
    highs: IntArray,
    q: FloatArray,
    deviation: bool,
    scratch: FloatArray,
    out: FloatArray,
) -> None:
    """Fill (S, T) with quantiles of windows; or with the median distance from the median."""
    for series in range(lows.shape[0]):
        for step in range(lows.shape[1]):
            low, count = lows[series, step], highs[series, step] - lows[series, step]
            if count <= 0:
                continue
            for at in range(count):
                scratch[at] = values[low + at]
            _sort(scratch, count)
            found = quantile_of(scratch, count, q[step])
            if deviation:
                if math.isnan(scratch[0]):
                    out[series, step] = math.nan
                    continue
                for at in range(count):
                    scratch[at] = abs(values[low + at] - found)
                _sort(scratch, count)
                found = quantile_of(scratch, count, q[step])
            out[series, step] = found
