"""Normalisation: Atlas's own cases for the single functions, and the kernel against them."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import SeriesKind
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks, make_arrays
from collectors.store.blocks.columns import Columns
from collectors.store.blocks.ingest import counter_heartbeat_ms, ingest, ingest_rows
from collectors.store.history.late_counters import late_rates
from collectors.store.series.kinds import KINDS
from collectors.store.testing.normalise import (
    NormalizeValueFunction,
    RateValueFunction,
    RollingValueFunction,
    add_present,
    max_present,
    normalised,
)

SHARED = Path(os.environ.get("TOCSIN_SHARED", Path(__file__).parents[4].parent / "shared"))
CASES = SHARED / "conformance" / "atlas.jsonl"
STEP_MS = 10_000
FUNCTIONS: dict[str, Callable[..., Callable[[int, float], None]]] = {
    "NormalizeValueFunction": NormalizeValueFunction,
    "RateValueFunction": RateValueFunction,
    "SumValueFunction": lambda step, emit: RollingValueFunction(step, add_present, emit),
    "MaxValueFunction": lambda step, emit: RollingValueFunction(step, max_present, emit),
}


def atlas_cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        return []
    rows = (json.loads(line) for line in CASES.read_text().splitlines())
    return [row for row in rows if row["kind"] == "norm" and row["function"] in FUNCTIONS]


@pytest.mark.skipif(not CASES.exists(), reason=f"external cases are not at {CASES}")
def test_functions_emit_what_atlas_emits() -> None:
    """Values would stand at other steps, or weigh otherwise, than in Atlas."""
    assert atlas_cases()
    for case in atlas_cases():
        emitted: list[list[float]] = []
        function = FUNCTIONS[case["function"]](
            *case["args"], lambda t, v, emitted=emitted: emitted.append([t, v])
        )
        for row in case["expected"]:
            if row.get("close"):
                continue
            emitted.clear()
            function(row["t"], row["v"])
            assert emitted == [[t, pytest.approx(v)] for t, v in row["expect"]], case["id"]


def by_kernel(kind: SeriesKind, samples: list[tuple[int, float]], step_ms: int) -> dict[int, float]:
    """Normalise one series with the kernel; end of interval -> value."""
    blocks = HotBlocks(step_ms=step_ms, hot_window_ms=4_000_000, max_series=1, memory_bytes=1 << 20)
    newest = max(t for t, _ in samples) // step_ms // BLOCK_STEPS + 1
    blocks.advance(newest)
    blocks.arrays.kind[0] = KINDS.index(kind)
    times = np.array([t for t, _ in samples], dtype=np.int64)
    values = np.array([v for _, v in samples], dtype=np.float64)
    series = np.zeros(len(samples), dtype=np.int32)
    ingest(blocks.arrays, series, times, values, step_ms, counter_heartbeat_ms(step_ms), 0)
    out = {}
    for slot, block in enumerate(blocks.arrays.ring.tolist()):
        page = blocks.arrays.table[slot, 0] - 1
        if page >= 0:
            for column, value in enumerate(blocks.arrays.pool[page].tolist()):
                if not math.isnan(value):
                    out[(block * BLOCK_STEPS + column) * step_ms] = value
    return out


gaps = st.one_of(st.integers(1, 3 * STEP_MS), st.sampled_from([STEP_MS, 2 * STEP_MS, 130_000]))
steps = st.lists(st.tuples(gaps, st.integers(-20, 200)), min_size=1, max_size=25)


def samples_of(moves: list[tuple[int, int]], *, cumulative: bool) -> list[tuple[int, float]]:
    """Turn gaps and changes into samples that start at an arbitrary time."""
    time_ms, value, out = 1_700_000_003_000, 1000.0, []
    for gap, change in moves:
        time_ms += gap
        value = max(0.0, value + change) if cumulative else float(change)
        out.append((time_ms, value))
    return out


@settings(max_examples=150, deadline=None)
@given(moves=steps, kind=st.sampled_from(list(SeriesKind)))
def test_kernel_agrees_with_the_single_series_functions(
    moves: list[tuple[int, int]], kind: SeriesKind
) -> None:
    """The compiled normalisation would differ from its definition."""
    samples = samples_of(moves, cumulative=kind is SeriesKind.COUNTER)
    expected = normalised(kind, samples, STEP_MS)
    assert by_kernel(kind, samples, STEP_MS) == pytest.approx(expected)


def test_a_counter_counts_every_event_once() -> None:
    """The rate integrates to the increase, whatever the sampling times."""
    samples = [(1_000_003, 0.0), (1_007_500, 10.0), (1_019_000, 50.0), (1_040_000, 90.0)]
    values = by_kernel(SeriesKind.COUNTER, samples, STEP_MS)
    assert sum(values.values()) * STEP_MS / 1000 == pytest.approx(90.0)


def test_a_reset_is_no_negative_rate() -> None:
    """A restart of a service would be shown as a negative rate."""
    samples = [(1_000_000, 100.0), (1_010_000, 160.0), (1_020_000, 0.0), (1_030_000, 30.0)]
    assert by_kernel(SeriesKind.COUNTER, samples, STEP_MS) == pytest.approx(
        {1_010_000: 6.0, 1_020_000: 0.0, 1_030_000: 3.0}
    )


def test_late_gauge_fills_its_own_step() -> None:
    """A late value would overwrite a newer one, or be lost."""
    samples = [(1_050_000, 5.0), (1_020_000, 2.0), (1_018_000, 7.0)]
    assert by_kernel(SeriesKind.GAUGE, samples, STEP_MS) == {1_050_000: 5.0, 1_020_000: 7.0}


def test_late_counters_fill_the_gap_that_they_missed() -> None:
    """A sender that was cut off sends its newest samples first, then what it had kept."""
    newest = [(1_500_000, 900.0), (1_510_000, 910.0)]
    kept = [(1_010_000 + 10_000 * i, 20.0 * i) for i in range(5)]
    values = by_kernel(SeriesKind.COUNTER, [(1_000_000, 0.0), *newest, *kept], STEP_MS)
    late = {1_020_000 + 10_000 * i: 2.0 for i in range(4)}
    assert values == pytest.approx({1_510_000: 1.0} | late)


def test_late_counters_do_not_count_again_what_was_counted() -> None:
    """A sender that repeats itself would double its rates."""
    samples = [(1_000_000 + 10_000 * i, 5.0 * i) for i in range(8)]
    values = by_kernel(SeriesKind.COUNTER, samples, STEP_MS)
    assert by_kernel(SeriesKind.COUNTER, [*samples, *samples[2:5]], STEP_MS) == values
    shuffled = [samples[i] for i in (0, 4, 1, 2, 3, 5, 6, 7)]
    assert by_kernel(SeriesKind.COUNTER, shuffled, STEP_MS) == pytest.approx(values)


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.integers(1, 60_000), min_size=1, max_size=20),
    increases=st.lists(st.integers(0, 100), min_size=20, max_size=20),
)
def test_rates_of_late_counters_integrate_to_their_increase(
    gaps: list[int], increases: list[int]
) -> None:
    """Counts would be lost or gained when samples come out of order."""
    times = 1_000_000 + np.cumsum([0, *gaps])
    counts = np.cumsum([0, *increases[: len(gaps)]]).astype(float)
    order = np.random.default_rng(len(gaps)).permutation(len(times))
    series = np.zeros(len(times), dtype=np.int32)
    rates = late_rates(Columns(series, None, times[order], counts[order], False), STEP_MS)
    assert rates.used == len(times)
    # A step that is covered in part holds the mean of its covered part.
    ends, starts = rates.time_ms, rates.time_ms - STEP_MS
    covered_ms = np.minimum(ends, times[-1]) - np.maximum(starts, times[0])
    assert (rates.value * covered_ms).sum() / 1000 == pytest.approx(counts[-1])


def test_values_that_find_no_place_are_counted() -> None:
    """A sample that was taken and is nowhere must not be counted as kept."""
    hot = make_arrays(series=2, ring_blocks=1, pages=1, step_ms=STEP_MS)
    hot.ring[0] = 7
    first_ms = 7 * BLOCK_STEPS * STEP_MS
    ids = np.array([0, 1, 0], dtype=np.int32)
    time_ms = np.array([first_ms, first_ms, first_ms - STEP_MS], dtype=np.int64)
    ingest(hot, ids, time_ms, np.ones(3), STEP_MS, STEP_MS, 0)
    assert hot.dropped.tolist() == [1, 1]
    rows = np.array([1, 0], dtype=np.int32)
    each = np.array([2, 1], dtype=np.int32)
    times = np.array([first_ms, first_ms + STEP_MS, first_ms - STEP_MS], dtype=np.int64)
    ingest_rows(hot, rows, each, times, np.ones(3), STEP_MS, STEP_MS)
    assert hot.dropped.tolist() == [2, 3]
