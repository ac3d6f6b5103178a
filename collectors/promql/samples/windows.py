"""Compiled loops over the samples of each series' windows.

A window of step ``t`` holds the samples of ``(t - range, t]``. For S series and T steps a loop
fills ``out`` (S, T) and ``present`` (S, T); the ends of windows ascend, or are all the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.model import FloatArray, IntArray

Present = NDArray[np.bool_]


@kernel
def instants(
    times: IntArray,
    offsets: IntArray,
    ends: IntArray,
    lookback_ms: int,
    out: IntArray,
) -> None:
    """Fill (S, T) with the position of the newest sample of each window, -1 for none."""
    for series in range(len(offsets) - 1):
        low = offsets[series]
        high = low
        end = offsets[series + 1]
        for step in range(len(ends)):
            while high < end and times[high] <= ends[step]:
                high += 1
            found = -1
            if high > low and times[high - 1] > ends[step] - lookback_ms:
                found = high - 1
            out[series, step] = found


@kernel
def bounds(
    times: IntArray,
    offsets: IntArray,
    ends: IntArray,
    range_ms: int,
    lows: IntArray,
    highs: IntArray,
) -> None:
    """Fill (S, T) with where each window's samples begin and end."""
    for series in range(len(offsets) - 1):
        low = high = offsets[series]
        end = offsets[series + 1]
        for step in range(len(ends)):
            while high < end and times[high] <= ends[step]:
                high += 1
            while low < high and times[low] <= ends[step] - range_ms:
                low += 1
            lows[series, step] = low
            highs[series, step] = high


@kernel
def next_resets(values: FloatArray, offsets: IntArray, out: IntArray) -> None:
    """Fill (N,) with the position of the first fall of a counter after each sample."""
    for series in range(len(offsets) - 1):
        begin, end = offsets[series], offsets[series + 1]
        found = end
        for back in range(end - begin):
            at = end - 1 - back
            out[at] = found
            if at > begin and values[at] < values[at - 1]:
                found = at


@inlined
def extended(
    times: IntArray,
    values: FloatArray,
    resets: IntArray,
    first: int | np.int64,
    last: int | np.int64,
    until: int | np.int64,
    range_ms: int,
    counter: bool,
) -> np.float64:
    """Return what changed from the sample ``first`` to ``last``, extrapolated to their window."""
    change = values[last] - values[first]
    if counter:
        at = resets[first]
        while at <= last:
            change += values[at - 1]
            at = resets[at]
    # Milliseconds, as the factor has no unit but that of the range.
    span = np.float64(times[last] - times[first])
    mean = span / (last - first)
    before = np.float64(times[first] - (until - range_ms))
    after = np.float64(until - times[last])
    if before >= mean * 1.1:
        before = mean / 2
    if counter and change > 0 and values[first] >= 0:
        to_zero = span * (values[first] / change)
        before = min(before, to_zero)
    if after >= mean * 1.1:
        after = mean / 2
    return np.float64(change * ((span + before + after) / span))


@kernel
def extrapolated(
    times: IntArray,
    values: FloatArray,
    resets: IntArray,
    offsets: IntArray,
    ends: IntArray,
    range_ms: int,
    counter: bool,
    per_second: bool,
    out: FloatArray,
    present: Present,
) -> None:
    """Fill what changed within each window, extrapolated to its ends: rate, increase and delta.

    The ends are reached where the first and last sample are within 1.1 mean distances of them,
    else half a distance is added; a counter is not extrapolated below zero.
    """
    scale = 1000.0 / range_ms if per_second else 1.0
    for series in range(len(offsets) - 1):
        low = high = offsets[series]
        end = offsets[series + 1]
        for step in range(len(ends)):
            until = ends[step]
            while high < end and times[high] <= until:
                high += 1
            while low < high and times[low] <= until - range_ms:
                low += 1
            present[series, step] = False
            if high - low < 2:
                continue
            out[series, step] = scale * extended(
                times, values, resets, low, high - 1, until, range_ms, counter
            )
            present[series, step] = True
