"""Compiled functions of the samples of each window.

Windows are those of :mod:`collectors.promql.samples.windows`.
"""

from __future__ import annotations

import math

from collectors.kernel import inlined, kernel
from collectors.model import FloatArray, IntArray
from collectors.promql.samples.kahan import lost, whole
from collectors.promql.samples.windows import Present

# Of values, of times, of two samples that follow each other, of lines through the samples.
(COUNT, PRESENT, LAST, FIRST, SUM, AVG, MIN, MAX, STDVAR, STDDEV) = range(10)
(TS_LAST, TS_FIRST, TS_MAX, TS_MIN) = range(10, 14)
(CHANGES, RESETS) = range(14, 16)
(IRATE, IDELTA) = range(16, 18)
(DERIV, PREDICT, SMOOTH) = range(18, 21)


@inlined
def _mean(values: FloatArray, low: int, high: int) -> float:
    """Return the mean, by way of their sum unless that is too large."""
    total, gone = 0.0, 0.0
    mean, mean_gone, incremental = 0.0, 0.0, False
    for at in range(low, high):
        value = values[at]
        if not incremental:
            new = total + value
            if at == low or not math.isinf(new):
                gone = lost(total, value, gone) if at > low else 0.0
                total = new
                continue
            incremental = True
            mean = total / (at - low)
            mean_gone = gone / (at - low)
        count = at - low + 1.0
        share = (count - 1.0) / count
        mean_gone = lost(share * mean, value / count, share * mean_gone)
        mean = share * mean + value / count
    if incremental:
        return whole(mean, mean_gone)
    return total / (high - low) + gone / (high - low) if not math.isinf(total) else total


@inlined
def _variance(values: FloatArray, low: int, high: int) -> float:
    """Return the variance of a population, by Welford's method."""
    mean, mean_gone, squares, squares_gone, count = 0.0, 0.0, 0.0, 0.0, 0.0
    for at in range(low, high):
        count += 1.0
        delta = values[at] - (mean + mean_gone)
        step = delta / count
        mean_gone = lost(mean, step, mean_gone)
        mean += step
        square = delta * (values[at] - (mean + mean_gone))
        squares_gone = lost(squares, square, squares_gone)
        squares += square
    return (squares + squares_gone) / count


@inlined
def _extreme(values: FloatArray, low: int, high: int, largest: bool) -> int:
    """Return the position of the largest or least value, of a NaN only where all are."""
    found = low
    for at in range(low + 1, high):
        value, best = values[at], values[found]
        if math.isnan(best) or (value > best if largest else value < best):
            found = at
    return found


@inlined
def _slope(
    times: IntArray, values: FloatArray, low: int, high: int, origin: int
) -> tuple[float, float]:
    """Return slope and intercept (at ``origin``) of the least squares through the samples."""
    n, sx, sy, sxy, sxx = 0.0, 0.0, 0.0, 0.0, 0.0
    cx, cy, cxy, cxx = 0.0, 0.0, 0.0, 0.0
    first = values[low]
    constant = True
    for at in range(low, high):
        if values[at] != first:
            constant = False
        n += 1.0
        x = (times[at] - origin) / 1000.0
        cx = lost(sx, x, cx)
        sx += x
        cy = lost(sy, values[at], cy)
        sy += values[at]
        cxy = lost(sxy, x * values[at], cxy)
        sxy += x * values[at]
        cxx = lost(sxx, x * x, cxx)
        sxx += x * x
    if constant:
        if math.isinf(first):
            return math.nan, math.nan
        return 0.0, first
    sx, sy, sxy, sxx = sx + cx, sy + cy, sxy + cxy, sxx + cxx
    slope = (sxy - sx * sy / n) / (sxx - sx * sx / n)
    return slope, sy / n - slope * sx / n


@inlined
def _smoothed(values: FloatArray, low: int, high: int, level: float, trend: float) -> float:
    """Return the last level of double exponential smoothing (Holt's linear method)."""
    s0, s1 = 0.0, float(values[low])
    b = values[low + 1] - values[low]
    for at in range(low + 1, high):
        if at > low + 1:
            b = trend * (s1 - s0) + (1.0 - trend) * b
        following = level * values[at] + (1.0 - level) * (s1 + b)
        s0, s1 = s1, following
    return float(s1)


@inlined
def _sum(values: FloatArray, low: int, high: int) -> float:
    total, gone = 0.0, 0.0
    for at in range(low, high):
        gone = lost(total, values[at], gone)
        total += values[at]
    return whole(total, gone)


@inlined
def _of_values(op: int, values: FloatArray, low: int, high: int) -> float:
    result = 1.0
    if op == COUNT:
        result = float(high - low)
    elif op == LAST:
        result = values[high - 1]
    elif op == FIRST:
        result = values[low]
    elif op == SUM:
        result = _sum(values, low, high)
    elif op == AVG:
        result = _mean(values, low, high)
    elif op in (MIN, MAX):
        result = values[_extreme(values, low, high, op == MAX)]
    elif op in (STDVAR, STDDEV):
        result = _variance(values, low, high)
        if op == STDDEV:
            result = math.sqrt(result)
    return result


@inlined
def _of_times(op: int, times: IntArray, values: FloatArray, low: int, high: int) -> float:
    """Return when, in seconds, the first, last, largest or least value was; the last of equals."""
    if op == TS_LAST:
        return float(times[high - 1] / 1000.0)
    found = low
    if op in (TS_MAX, TS_MIN):
        for at in range(low + 1, high):
            value, best = values[at], values[found]
            better = value >= best if op == TS_MAX else value <= best
            if better or math.isnan(best):
                found = at
    return float(times[found] / 1000.0)


@inlined
def _of_events(op: int, values: FloatArray, low: int, high: int) -> float:
    count = 0.0
    for at in range(low + 1, high):
        value, before = values[at], values[at - 1]
        if op == RESETS:
            happened = value < before
        else:
            happened = value != before and not (math.isnan(value) and math.isnan(before))
        if happened:
            count += 1.0
    return count


@inlined
def _of_last_two(op: int, times: IntArray, values: FloatArray, high: int) -> float:
    newest, before = values[high - 1], values[high - 2]
    if op == IDELTA:
        return float(newest - before)
    change = newest if newest < before else newest - before
    return float(change / ((times[high - 1] - times[high - 2]) / 1000.0))


@kernel
def over_windows(
    op: int,
    times: IntArray,
    values: FloatArray,
    offsets: IntArray,
    ends: IntArray,
    range_ms: int,
    first_param: FloatArray,
    second_param: FloatArray,
    out: FloatArray,
    present: Present,
) -> None:
    """Fill a function, ``op``, of each window's samples; parameters have shape (T,)."""
    least = 2 if op >= IRATE else 1
    for series in range(len(offsets) - 1):
        low = high = offsets[series]
        end = offsets[series + 1]
        for step in range(len(ends)):
            until = ends[step]
            while high < end and times[high] <= until:
                high += 1
            while low < high and times[low] <= until - range_ms:
                low += 1
            present[series, step] = high - low >= least
            if high - low < least:
                continue
            if op <= STDDEV:
                result = _of_values(op, values, low, high)
            elif op <= TS_MIN:
                result = _of_times(op, times, values, low, high)
            elif op <= RESETS:
                result = _of_events(op, values, low, high)
            elif op <= IDELTA:
                result = _of_last_two(op, times, values, high)
            elif op == DERIV:
                result = _slope(times, values, low, high, times[low])[0]
            elif op == PREDICT:
                slope, level = _slope(times, values, low, high, until)
                result = slope * first_param[step] + level
            else:
                result = _smoothed(values, low, high, first_param[step], second_param[step])
            out[series, step] = result
