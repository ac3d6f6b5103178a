"""``anchored`` and ``smoothed`` ranges: what counts is the value at the ends, not extrapolation.

Anchored: a window begins with the newest sample at or before its start, and ends with its own last.
Smoothed: the values at both ends lie on the lines between the samples around them.
"""

from __future__ import annotations

import math

from collectors.kernel import called, kernel
from collectors.model import FloatArray, IntArray
from collectors.promql.language.nodes import Edge
from collectors.promql.samples.windows import Present
from collectors.promql.vectors.selecting import Windows

INCREASE, RATE, DELTA, RESETS, CHANGES = range(5)
_OPS = {"increase": INCREASE, "rate": RATE, "delta": DELTA, "resets": RESETS, "changes": CHANGES}


def edged(name: str, windows: Windows, out: FloatArray, present: Present) -> None:
    """Fill (S, ends) with a function over windows whose ends are treated specially."""
    samples = windows.samples
    _edged(
        _OPS[name],
        windows.edge is Edge.SMOOTHED,
        samples.times,
        samples.values,
        samples.offsets,
        windows.ends,
        windows.range_ms,
        out,
        present,
    )


@kernel
def _edged(
    op: int,
    smoothed: bool,
    times: IntArray,
    values: FloatArray,
    offsets: IntArray,
    ends: IntArray,
    range_ms: int,
    out: FloatArray,
    present: Present,
) -> None:
    for series in range(len(offsets) - 1):
        begin, end = offsets[series], offsets[series + 1]
        # One behind the newest sample at or before the start, and at or before the end.
        low = high = begin
        for step in range(len(ends)):
            until = ends[step]
            while high < end and times[high] <= until:
                high += 1
            while low < high and times[low] <= until - range_ms:
                low += 1
            first = max(low - 1, begin)
            last = high - 1
            inside = high > low
            if smoothed and high < end and (last < first or times[last] < until):
                last = high
            present[series, step] = last > first and (inside or smoothed)
            if present[series, step]:
                found = _of_window(op, smoothed, times, values, first, last, until, range_ms)
                out[series, step] = found


@called
def _of_window(
    op: int,
    smoothed: bool,
    times: IntArray,
    values: FloatArray,
    first: int,
    last: int,
    until: int,
    range_ms: int,
) -> float:
    counter = op in (INCREASE, RATE)
    begins, finishes = values[first], values[last]
    if smoothed and times[first] < until - range_ms:
        begins = _between(times, values, first, until - range_ms, counter)
    if smoothed and times[last] > until:
        finishes = _between(times, values, last - 1, until, counter)
    risen, events, before = 0.0, 0.0, begins
    for at in range(first + 1, last + 1):
        value = finishes if at == last else values[at]
        if value < before:
            risen += before
        if op == RESETS and value < before:
            events += 1.0
        if op == CHANGES and value != before and not (math.isnan(value) and math.isnan(before)):
            events += 1.0
        before = value
    change = finishes - begins + (risen if counter else 0.0)
    if op in (RESETS, CHANGES):
        return events
    return float(change / (range_ms / 1000.0) if op == RATE else change)


@called
def _between(times: IntArray, values: FloatArray, low: int, at_ms: int, counter: bool) -> float:
    """Return the value at a time between two samples; a counter that fell rises from zero."""
    start, finish = values[low], values[low + 1]
    if counter and finish < start:
        start = 0.0
    share = (at_ms - times[low]) / (times[low + 1] - times[low])
    return float(start + (finish - start) * share)
