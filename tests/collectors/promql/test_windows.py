"""Compiled loops against what the documentation says, one window at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.promql.evaluation.query import over_range
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.values import Vector

STEP, RANGE = 15_000, 60_000
Points = list[tuple[int, float]]

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False) | st.just(math.nan)


@st.composite
def series(draw: st.DrawFn) -> Points:
    gaps = draw(st.lists(st.integers(1, 40_000), min_size=1, max_size=30))
    times = np.cumsum(gaps).tolist()
    return [(time, draw(numbers)) for time in times]


def computed(expression: str, points: Points) -> list[float | None]:
    source = MemorySource()
    source.add({"__name__": "x_total"}, [t for t, _ in points], [v for _, v in points])
    answer = over_range(expression, source, 0, 300_000, STEP)
    assert isinstance(answer.value, Vector)
    if not answer.value.labels.size:
        return [None] * 21
    (values,), (present,) = answer.value.values, answer.value.present
    return [float(v) if there else None for v, there in zip(values, present, strict=True)]


def rate(window: Points, end: int) -> float | None:
    """Count what rose, and stretch it to the window's ends as far as samples reach them."""
    if len(window) < 2:
        return None
    (first, begins), (last, finishes) = window[0], window[-1]
    change = finishes - begins
    for (_, before), (_, value) in itertools.pairwise(window):
        if value < before:
            change += before
    span = (last - first) / 1000
    mean = span / (len(window) - 1)
    before_s, after_s = (first - end + RANGE) / 1000, (end - last) / 1000
    if before_s >= 1.1 * mean:
        before_s = mean / 2
    if change > 0 and begins >= 0:
        before_s = min(before_s, span * begins / change)
    if after_s >= 1.1 * mean:
        after_s = mean / 2
    return change * (span + before_s + after_s) / span / (RANGE / 1000)


def changes(window: Points, end: int) -> float | None:
    del end
    pairs = itertools.pairwise([v for _, v in window])
    moved = [a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairs]
    return float(sum(moved)) if window else None


def largest(window: Points, end: int) -> float | None:
    del end
    known = [v for _, v in window if not math.isnan(v)]
    return (max(known) if known else math.nan) if window else None


def mean(window: Points, end: int) -> float | None:
    del end
    return math.fsum(v for _, v in window) / len(window) if window else None


def median(window: Points, end: int) -> float | None:
    del end
    values = sorted((v for _, v in window), key=lambda v: (not math.isnan(v), v))
    if not values:
        return None
    middle = (len(values) - 1) / 2
    low, high = values[math.floor(middle)], values[math.ceil(middle)]
    return low if low == high else low / 2 + high / 2


FUNCTIONS = {
    "rate(x_total[1m])": rate,
    "changes(x_total[1m])": changes,
    "max_over_time(x_total[1m])": largest,
    "avg_over_time(x_total[1m])": mean,
    "quantile_over_time(0.5, x_total[1m])": median,
}


@pytest.mark.parametrize("expression", FUNCTIONS)
@given(points=series())
@settings(max_examples=40, deadline=None)
def test_windows_are_left_open_and_each_is_right(expression: str, points: Points) -> None:
    """A rate would count a sample twice, or none of the one at the window's end."""
    for step, value in enumerate(computed(expression, points)):
        end = step * STEP
        window = [(t, v) for t, v in points if end - RANGE < t <= end]
        expected = FUNCTIONS[expression](window, end)
        assert (value is None) == (expected is None)
        if value is not None and expected is not None:
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-6, nan_ok=True)
