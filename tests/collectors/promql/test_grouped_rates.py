"""Rates that are added up as they are computed are the rates that are computed one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.promql.evaluation.query import over_range
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.values import Vector

TIMES = st.one_of(
    st.builds(
        lambda first, apart, count: [first + apart * i for i in range(count)],
        st.integers(-200_000, 300_000),
        st.sampled_from([5_000, 15_000, 20_000, 60_000]),
        st.integers(0, 40),
    ),
    st.lists(st.integers(-200_000, 500_000), max_size=30, unique=True).map(sorted),
)
VALUES = st.one_of(st.integers(0, 20).map(float), st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=60, deadline=None)
@given(
    series=st.lists(TIMES, min_size=1, max_size=3),
    data=st.data(),
    function=st.sampled_from(["rate", "increase", "delta"]),
    range_s=st.sampled_from([17, 45, 60, 120]),
    step_ms=st.sampled_from([5_000, 20_000, 60_000, 7_001]),
)
def test_a_sum_of_one_series_is_its_rate(
    series: list[list[int]], data: st.DataObject, function: str, range_s: int, step_ms: int
) -> None:
    """A panel of a service's requests would show another rate than its only instance has."""
    source = MemorySource()
    for row, times in enumerate(series):
        values = data.draw(st.lists(VALUES, min_size=len(times), max_size=len(times)))
        if row % 2:
            values = list(np.cumsum(np.nan_to_num(values)))
        source.add({"__name__": "x_total", "row": str(row)}, times, values)
    inner = f"{function}(x_total[{range_s}s])"
    alone, added = (
        over_range(text, source, 0, 240_000, step_ms).value
        for text in (inner, f"sum by (row) ({inner})")
    )
    assert isinstance(alone, Vector)
    assert isinstance(added, Vector)
    order = np.argsort(alone.labels.values("row"))
    others = np.argsort(added.labels.values("row"))
    np.testing.assert_array_equal(alone.present[order], added.present[others])
    there = alone.present[order]
    np.testing.assert_array_equal(alone.values[order][there], added.values[others][there])
