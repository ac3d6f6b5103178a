"""The aggregation kernels against a plain computation over dictionaries."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import SeriesKind
from collectors.store.blocks.aggregation import (
    CF_AVG,
    CF_MAX,
    CF_MIN,
    CF_SUM,
    COUNT,
    MAX,
    MIN,
    SUM,
    aggregate,
)
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.ingest import ingest
from collectors.store.series.kinds import KINDS

FIRST = 3 * BLOCK_STEPS
FOLD: dict[int, Callable[[list[float]], float]] = {SUM: sum, MIN: min, MAX: max, COUNT: len}
cells = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 2 * BLOCK_STEPS)), st.integers(-9, 9), max_size=80
)


def expected(
    data: dict[tuple[int, int], int], groups: list[int], op: int, multiple: int, cf: int
) -> dict[tuple[int, int], float]:
    """Consolidate, then aggregate; (group, column) -> value."""
    buckets: dict[tuple[int, int], list[float]] = {}
    for (series, step), value in data.items():
        buckets.setdefault((series, step // multiple), []).append(float(value))
    lines: dict[tuple[int, int], list[float]] = {}
    for (series, column), values in buckets.items():
        taken = [1.0] * len(values) if op == COUNT else values
        size = len(values) if series < 3 else multiple  # the first three are gauges
        merged = {
            CF_AVG: sum(taken) / size,
            CF_SUM: sum(taken),
            CF_MIN: min(taken),
            CF_MAX: max(taken),
        }[cf]
        lines.setdefault((groups[series], column), []).append(merged)
    fold = sum if op == COUNT else FOLD[op]
    return {at: fold(values) for at, values in lines.items()}


@settings(max_examples=150, deadline=None)
@given(
    data=cells,
    groups=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    op=st.sampled_from([SUM, COUNT, MIN, MAX]),
    multiple=st.sampled_from([1, 2, 7]),
    cf=st.sampled_from([CF_AVG, CF_SUM, CF_MIN, CF_MAX]),
)
def test_groups_equal_brute_force(
    data: dict[tuple[int, int], int], groups: list[int], op: int, multiple: int, cf: int
) -> None:
    """The compiled aggregation would answer other numbers than its definition."""
    blocks = HotBlocks(step_ms=1000, hot_window_ms=300_000, max_series=6, memory_bytes=1 << 20)
    blocks.advance(6)
    blocks.arrays.kind[:3] = KINDS.index(SeriesKind.GAUGE)
    blocks.arrays.kind[3:] = KINDS.index(SeriesKind.SUM)
    series = np.array([s for s, _ in data], dtype=np.int32)
    times = np.array([(FIRST + step) * 1000 for _, step in data], dtype=np.int64)
    values = np.array(list(data.values()), dtype=np.float64)
    ingest(blocks.arrays, series, times, values, 1000, 120_000, 0)
    columns = (2 * BLOCK_STEPS) // multiple + 1
    lines = aggregate(
        blocks.arrays,
        np.arange(6, dtype=np.int32),
        np.array(groups, dtype=np.int32),
        groups=3,
        first=FIRST,
        columns=columns,
        op=op,
        multiple=multiple,
        cf=cf,
    )
    found = {
        (g, j): lines[g, j] for g in range(3) for j in range(columns) if not math.isnan(lines[g, j])
    }
    assert found == pytest.approx(expected(data, groups, op, multiple, cf))
