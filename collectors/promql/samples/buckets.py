"""Compiled loops over the buckets of classic histograms.

Within a histogram, observations are taken to lie evenly between the bounds of their bucket; the
first bucket begins at zero if its bound is above.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import called, inlined, kernel
from collectors.model import FloatArray, IntArray
from collectors.promql.samples.windows import Present

# Relative differences below are those of rounding.
_TOLERANCE = 1e-12
_MIN_NORMAL = 2.2250738585072014e-308


@inlined
def _nearly(a: float, b: float) -> bool:
    if a == b:
        return True
    size = abs(a) + abs(b)
    if a == 0 or b == 0 or size < _MIN_NORMAL:
        return abs(a - b) < _TOLERANCE * _MIN_NORMAL
    return abs(a - b) / size < _TOLERANCE


@called
def _gather(
    bounds: FloatArray,
    values: FloatArray,
    present: Present,
    begin: int,
    end: int,
    step: int,
    own_bounds: FloatArray,
    own_counts: FloatArray,
) -> int:
    """Collect the buckets present at a step, those of one bound added up; return how many."""
    size = 0
    for row in range(begin, end):
        if not present[row, step]:
            continue
        if size and own_bounds[size - 1] == bounds[row]:
            own_counts[size - 1] += values[row, step]
        else:
            own_bounds[size] = bounds[row]
            own_counts[size] = values[row, step]
            size += 1
    return size


@called
def _ascending(counts: FloatArray, size: int) -> int:
    """Make counts ascend; return 1 if any fell by more than rounding explains."""
    before, forced = counts[0], 0
    for at in range(1, size):
        count = counts[at]
        if count == before:
            continue
        if _nearly(before, count):
            counts[at] = before
        elif count < before:
            counts[at] = before
            forced = 1
        else:
            before = count
    return forced


@called
def _quantile(q: float, bounds: FloatArray, counts: FloatArray, size: int) -> float:
    observations = counts[size - 1]
    if size < 2 or observations == 0:
        return math.nan
    rank = q * observations
    at = 0
    while at < size - 1 and not counts[at] >= rank:
        at += 1
    if at == size - 1:
        return float(bounds[size - 2])
    if at == 0 and bounds[0] <= 0:
        return float(bounds[0])
    start, below = 0.0, 0.0
    if at > 0:
        start, below = bounds[at - 1], counts[at - 1]
    return float(start + (bounds[at] - start) * ((rank - below) / (counts[at] - below)))


@kernel
def quantiles(
    bounds: FloatArray,
    values: FloatArray,
    present: Present,
    offsets: IntArray,
    q: FloatArray,
    own_bounds: FloatArray,
    own_counts: FloatArray,
    out: FloatArray,
    there: Present,
    flags: NDArray[np.int8],
) -> None:
    """Fill (H, T) quantiles; ``flags`` is 1 where counts fell with rising bounds."""
    for histogram in range(len(offsets) - 1):
        begin, end = offsets[histogram], offsets[histogram + 1]
        for step in range(len(q)):
            size = _gather(bounds, values, present, begin, end, step, own_bounds, own_counts)
            there[histogram, step] = size > 0
            if size == 0:
                continue
            share = q[step]
            if math.isnan(share):
                out[histogram, step] = math.nan
            elif share < 0:
                out[histogram, step] = -math.inf
            elif share > 1:
                out[histogram, step] = math.inf
            elif own_bounds[size - 1] != math.inf:
                out[histogram, step] = math.nan
            else:
                flags[histogram, step] = _ascending(own_counts, size)
                out[histogram, step] = _quantile(share, own_bounds, own_counts, size)


@called
def _below(value: float, bounds: FloatArray, counts: FloatArray, size: int) -> float:
    """Return how many observations are at most ``value``."""
    if value == math.inf:
        return float(counts[size - 1])
    start = -math.inf
    before = 0.0
    if bounds[0] > 0:
        start = 0.0
    for at in range(size):
        bound = bounds[at]
        if value >= bound:
            start, before = bound, counts[at]
            continue
        if value <= start or math.isinf(bound):
            return before
        if math.isinf(start):
            # Nothing says where in a bucket without a lower bound they lie.
            return float(counts[at])
        return float(before + (counts[at] - before) * ((value - start) / (bound - start)))
    return before


@kernel
def fractions(
    bounds: FloatArray,
    values: FloatArray,
    present: Present,
    offsets: IntArray,
    lower: FloatArray,
    upper: FloatArray,
    own_bounds: FloatArray,
    own_counts: FloatArray,
    out: FloatArray,
    there: Present,
) -> None:
    """Fill (H, T) with which part of the observations lies between two values."""
    for histogram in range(len(offsets) - 1):
        begin, end = offsets[histogram], offsets[histogram + 1]
        for step in range(len(lower)):
            size = _gather(bounds, values, present, begin, end, step, own_bounds, own_counts)
            there[histogram, step] = size > 0
            if size == 0:
                continue
            low, high = lower[step], upper[step]
            out[histogram, step] = math.nan
            if own_bounds[size - 1] != math.inf or math.isnan(low) or math.isnan(high):
                continue
            _ascending(own_counts, size)
            observations = own_counts[size - 1]
            if observations == 0:
                continue
            if low >= high:
                out[histogram, step] = 0.0
                continue
            inside = _below(high, own_bounds, own_counts, size)
            inside -= _below(low, own_bounds, own_counts, size)
            out[histogram, step] = inside / observations
