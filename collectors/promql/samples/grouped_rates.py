"""Rates of series added up by group in one compiled pass: no rate is kept.

The same arithmetic as :func:`~collectors.promql.samples.windows.extended`, and sums as those of
:mod:`groups`, over all windows of a series at a time: loops without a branch, which the processor
does four windows at once.
"""

from __future__ import annotations

import math

import numpy as np

from collectors.kernel import called, kernel
from collectors.model import FloatArray, IntArray

_CHANGE, _LEVEL, _SPAN, _BEFORE, _AFTER, _GAPS = range(6)
"""Of a window: what changed, its first value, the time between its first and last sample, theirs
from its ends, and how many samples follow the first."""


@called
def _gather(
    times: IntArray,
    values: FloatArray,
    begin: int | np.int64,
    end: int | np.int64,
    ends: IntArray,
    steps: tuple[int | np.int64, int | np.int64],
    range_ms: int,
    falls: bool,
    room: FloatArray,
) -> None:
    """Write of each window of some steps what :func:`_extend` reads."""
    low = high = np.int64(begin)
    for step in range(steps[0], steps[1]):
        until = ends[step]
        while high < end and times[high] <= until:
            high += 1
        while low < high and times[low] <= until - range_ms:
            low += 1
        last = high - 1
        if last <= low:
            room[_SPAN, step] = 0.0
            continue
        change = values[last] - values[low]
        if falls:
            for at in range(low + 1, high):
                change += values[at - 1] if values[at] < values[at - 1] else 0.0
        room[_CHANGE, step] = change
        room[_LEVEL, step] = values[low]
        room[_SPAN, step] = np.float64(times[last] - times[low])
        room[_BEFORE, step] = np.float64(times[low] - (until - range_ms))
        room[_AFTER, step] = np.float64(until - times[last])
        room[_GAPS, step] = np.float64(last - low)


@called
def _even(times: IntArray, begin: int | np.int64, end: int | np.int64) -> np.int64:
    """Return the distance of samples that are all equally far from the next, else 0."""
    if end - begin < 2:
        return np.int64(0)
    distance = times[begin + 1] - times[begin]
    others, after, before = 0, times[begin + 1 : end], times[begin : end - 1]
    for i in range(len(after)):
        others += int(after[i] - before[i] != distance)
    return np.int64(distance if others == 0 else 0)


@called
def _falls(values: FloatArray, begin: int | np.int64, end: int | np.int64) -> bool:
    """Return whether a counter fell."""
    count, after, before = 0, values[begin + 1 : end], values[begin : end - 1]
    for i in range(len(after)):
        count += int(after[i] < before[i])
    return bool(count > 0)


@called
def _differences(
    firsts: FloatArray, lasts: FloatArray, level: FloatArray, change: FloatArray
) -> None:
    for i in range(len(level)):
        level[i] = firsts[i]
        change[i] = lasts[i] - firsts[i]


@called
def _gather_evenly(
    times: IntArray,
    values: FloatArray,
    begin: int | np.int64,
    end: int | np.int64,
    distance: np.int64,
    ends: IntArray,
    stride: np.int64,
    range_ms: int,
    room: FloatArray,
) -> None:
    """The same for samples ``distance`` apart, ``stride`` of them from one window to the next.

    All windows that lie within the samples hold as many of them, at the same places.
    """
    steps = len(ends)
    newest = (ends[0] - times[begin]) // distance
    oldest = (ends[0] - range_ms - times[begin]) // distance + 1
    # Windows of these steps lie within the samples.
    first = max(np.int64(0), -(oldest // stride)) if oldest < 0 else np.int64(0)
    until = min(np.int64(steps), (end - begin - 1 - newest) // stride + 1)
    if newest <= oldest or until <= first:
        _gather(times, values, begin, end, ends, (0, steps), range_ms, False, room)
        return
    _gather(times, values, begin, end, ends, (0, first), range_ms, False, room)
    _gather(times, values, begin, end, ends, (until, steps), range_ms, False, room)
    low, last = begin + oldest, begin + newest
    level, change = room[_LEVEL, first:until], room[_CHANGE, first:until]
    low, last = low + first * stride, last + first * stride
    if stride == 1:
        _differences(values[low:end], values[last:end], level, change)
    else:
        _differences(values[low:end:stride], values[last:end:stride], level, change)
    for row, value in (
        (_SPAN, (newest - oldest) * distance),
        (_BEFORE, times[low] - (ends[first] - range_ms)),
        (_AFTER, ends[first] - times[last]),
        (_GAPS, newest - oldest),
    ):
        room[row, first:until] = np.float64(value)


@called
def _extend(room: FloatArray, counter: bool, scale: float) -> None:
    """Extrapolate the changes, in place; where there was none, ``span`` is zero."""
    change, level, span = room[_CHANGE], room[_LEVEL], room[_SPAN]
    before, after, gaps = room[_BEFORE], room[_AFTER], room[_GAPS]
    for i in range(len(change)):
        mean = span[i] / gaps[i]
        ahead = mean / 2 if before[i] >= mean * 1.1 else before[i]
        to_zero = span[i] * (level[i] / change[i])
        bounded = counter and change[i] > 0 and level[i] >= 0 and to_zero < ahead
        ahead = to_zero if bounded else ahead
        behind = mean / 2 if after[i] >= mean * 1.1 else after[i]
        change[i] = scale * (change[i] * ((span[i] + ahead + behind) / span[i]))


@called
def _add(
    value: FloatArray, span: FloatArray, total: FloatArray, gone: FloatArray, counts: FloatArray
) -> None:
    """Add a row to the sums of its group; where there is nothing, nothing."""
    for i in range(len(value)):
        there = span[i] > 0.0
        added = value[i] if there else 0.0
        old = total[i]
        new = old + added
        more = (old - new) + added if abs(old) >= abs(added) else (added - new) + old
        gone[i] = 0.0 if abs(new) == math.inf else gone[i] + more
        total[i] = new
        counts[i] += 1.0 if there else 0.0


@kernel
def add_rates(
    times: IntArray,
    values: FloatArray,
    offsets: IntArray,
    groups: IntArray,
    ends: IntArray,
    range_ms: int,
    counter: bool,
    per_second: bool,
    room: FloatArray,
    total: FloatArray,
    gone: FloatArray,
    counts: FloatArray,
) -> None:
    """Add what changed within each window, extrapolated, to (G, T) sums.

    Args:
        times: (N,) of samples, epoch milliseconds.
        values: (N,) of samples, none of which ends a series.
        offsets: (S + 1,) where those of each series begin.
        groups: (S,) the group of each series.
        ends: (T,) of windows, ascending.
        range_ms: Length of a window.
        counter: Falls are resets.
        per_second: ``rate``, not ``increase``.
        room: (6, T) to work in.
        total: (G, T) sums.
        gone: (G, T) what they lost by rounding.
        counts: (G, T) of how many series.
    """
    scale = 1000.0 / range_ms if per_second else 1.0
    steps = len(ends)
    apart = _even(ends, 0, steps)
    for series in range(len(offsets) - 1):
        begin, end = offsets[series], offsets[series + 1]
        falls = counter and _falls(values, begin, end)
        distance = np.int64(0) if falls else _even(times, begin, end)
        if distance > 0 and apart > 0 and apart % distance == 0:
            stride = apart // distance
            _gather_evenly(times, values, begin, end, distance, ends, stride, range_ms, room)
        else:
            _gather(times, values, begin, end, ends, (0, steps), range_ms, falls, room)
        _extend(room, counter, scale)
        group = groups[series]
        _add(room[_CHANGE], room[_SPAN], total[group], gone[group], counts[group])
