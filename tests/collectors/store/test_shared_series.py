"""Series that several streams feed in parts: what a query answers, before and after a restart."""

import itertools
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.model import Batch, Parts
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore

STEP_MS = 10_000
T0 = 1_700_000_000_000
STEPS = 30
COUNTER = {"name": "c", "atlas.dstype": "counter"}
GAUGE = {"name": "g", "atlas.dstype": "gauge"}
_NUMBERS = itertools.count()
_NO_ROWS = np.empty(0, dtype=np.int32)


def opened(path: Path) -> MetricStore:
    clock = ManualClock(T0 + STEPS * STEP_MS)
    return MetricStore.open(path, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricStore]:
    store = opened(tmp_path_factory.mktemp("shared"))
    yield store
    store.close()


def parts(tags: dict[str, str], rows: list[tuple[int, int, float]]) -> Batch:
    """Return parts; times are in milliseconds after T0."""
    return Batch(
        series=[tags],
        series_index=_NO_ROWS,
        time_ms=np.empty(0, dtype=np.int64),
        value=np.empty(0),
        parts=Parts(
            series_index=np.zeros(len(rows), dtype=np.int32),
            start_ms=np.array([T0 + start for start, _, _ in rows], dtype=np.int64),
            time_ms=np.array([T0 + end for _, end, _ in rows], dtype=np.int64),
            value=np.array([value for _, _, value in rows], dtype=np.float64),
        ),
    )


def samples(
    tags: dict[str, str], rows: list[tuple[int, float]], *, whole_resets: bool = False
) -> Batch:
    return Batch(
        series=[tags],
        series_index=np.zeros(len(rows), dtype=np.int32),
        time_ms=np.array([T0 + time for time, _ in rows], dtype=np.int64),
        value=np.array([value for _, value in rows], dtype=np.float64),
        whole_resets=whole_resets,
    )


def line(store: MetricStore, tags: dict[str, str], steps: int = STEPS) -> list[float]:
    """Return the value of each step after T0, which is no end of a step."""
    first = (T0 // STEP_MS + 1) * STEP_MS
    window = Window(start_ms=first, end_ms=first + (steps - 1) * STEP_MS, step_ms=STEP_MS)
    values: list[float] = (
        evaluate(f"name,{tags['name']},:eq,:sum", store, window).values[0].tolist()
    )
    return values


moves = st.lists(st.tuples(st.integers(1, 45_000), st.integers(0, 100)), min_size=1, max_size=6)


@given(streams=st.lists(st.tuples(st.integers(0, 9_000), moves), min_size=1, max_size=4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_event_of_every_stream_is_counted_in_its_step(
    store: MetricStore, streams: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    """Events would be lost, or stand in another step, where streams cross ends of steps."""
    tags = COUNTER | {"name": f"c{next(_NUMBERS)}"}
    rows: list[tuple[int, int, float]] = []
    for begun, moves_of_one in streams:
        ends = [
            begun,
            *(begun + sum(n for n, _ in moves_of_one[: i + 1]) for i in range(len(moves_of_one))),
        ]
        rows += [
            (a, b, float(v)) for (a, b), (_, v) in zip(pairwise(ends), moves_of_one, strict=True)
        ]
    rows.sort(key=lambda row: row[1])
    newest = max(end for _, end, _ in rows)
    # A part without events closes the step that is open.
    store.write(parts(tags, [*rows, (newest, newest + STEP_MS, 0.0)]))
    first = (T0 // STEP_MS + 1) * STEP_MS - T0
    for step, value in enumerate(line(store, tags)):
        end = first + step * STEP_MS
        begin = end - STEP_MS
        expected = sum(
            count * max(0, min(end, stop) - max(begin, begun)) / (stop - begun)
            for begun, stop, count in rows
        )
        got = 0.0 if np.isnan(value) else value * STEP_MS / 1_000
        assert got == pytest.approx(expected, abs=1e-6)


def test_the_step_that_is_open_waits_for_all_of_it(store: MetricStore) -> None:
    """The end of a line would dip after each export, and rules would judge half a step."""
    tags = COUNTER | {"name": "open"}
    store.write(parts(tags, [(0, 17_000, 170.0)]))
    told = [value for value in line(store, tags) if not np.isnan(value)]
    assert told[-1] == pytest.approx(10.0)
    store.write(parts(tags, [(17_000, 37_000, 200.0)]))
    told = [value for value in line(store, tags) if not np.isnan(value)]
    assert told[1:] == pytest.approx([10.0] * len(told[1:]))


def test_a_series_of_one_stream_goes_on_when_a_second_joins(store: MetricStore) -> None:
    """What the first counted in the open step before the second came would be lost."""
    tags = COUNTER | {"name": "joins"}
    store.write(samples(tags, [(0, 0.0), (15_000, 150.0)]))
    store.write(parts(tags, [(15_000, 45_000, 300.0), (5_000, 45_000, 40.0)]))
    total = sum(value * 10 for value in line(store, tags) if not np.isnan(value))
    complete = sum(1 for value in line(store, tags) if not np.isnan(value)) * STEP_MS
    begun = T0 % STEP_MS
    until = complete - begun
    expected = 10 * until / 1_000 + (until - 5_000) / 1_000
    assert total == pytest.approx(expected)


def test_parts_before_and_after_a_restart_are_one_line(tmp_path: Path) -> None:
    """A kill would leave a hole, or count what is in the log twice."""
    store = opened(tmp_path)
    rows = [(i * 7_000, (i + 1) * 7_000, 70.0) for i in range(20)]
    store.write(parts(COUNTER, rows[:9]))
    before = line(store, COUNTER)
    killed = opened(tmp_path)  # only the log is there, as after a kill
    assert np.allclose(line(killed, COUNTER), before, equal_nan=True)
    assert killed.counted(COUNTER).time_ms == T0 + rows[8][1]
    killed.write(parts(COUNTER, rows[9:]))
    killed.close()
    again = opened(tmp_path)  # from a checkpoint
    told = [value for value in line(again, COUNTER) if not np.isnan(value)]
    assert told[1:] == pytest.approx([10.0] * len(told[1:]))
    again.close()


def test_a_part_of_a_gauge_takes_the_place_of_its_step(store: MetricStore) -> None:
    """The larger of two senders' values would be shown instead of the newest."""
    store.write(parts(GAUGE, [(21_000, 21_000, 9.0), (22_000, 22_000, 3.0)]))
    assert [value for value in line(store, GAUGE) if not np.isnan(value)] == [3.0]
    assert store.counted(GAUGE).value == 3.0


@pytest.mark.parametrize(("whole", "expected"), [(True, 30.0), (False, 0.0)])
def test_what_a_counter_shows_after_a_reset(
    store: MetricStore, whole: bool, expected: float
) -> None:
    """Prometheus's counters lose what came after a reset; Atlas's would gain what nobody knows."""
    tags = COUNTER | {"name": f"reset{whole}"}
    first = STEP_MS - T0 % STEP_MS
    rows = [(first, 500.0), (first + STEP_MS, 600.0), (first + 2 * STEP_MS, 300.0)]
    store.write(samples(tags, rows, whole_resets=whole))
    told = [value for value in line(store, tags) if not np.isnan(value)]
    assert told == pytest.approx([10.0, expected])


def test_what_is_before_the_hot_blocks_does_not_take_long(store: MetricStore) -> None:
    """A stranger's part since 1970 would hold the store for minutes."""
    tags = COUNTER | {"name": "ancient"}
    store.write(parts(tags, [(-T0 + 1, 20_000, 1e9)]))
    assert all(value < 1 for value in line(store, tags) if not np.isnan(value))
