"""The store from outside: what is written can be asked, now and after a restart."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import Batch, Tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal, Query
from collectors.store.metric_store import MetricStore

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000


def batch(*samples: tuple[Tags, int, float]) -> Batch:
    """Make a batch of (tags, time relative to now in ms, value)."""
    series = [tags for tags, _, _ in samples]
    return Batch(
        series=series,
        series_index=np.arange(len(series), dtype=np.int32),
        time_ms=np.array([NOW_MS + at for _, at, _ in samples], dtype=np.int64),
        value=np.array([value for _, _, value in samples], dtype=np.float64),
    )


def gauge(**tags: str) -> Tags:
    """Tags of a gauge called ``g``."""
    return {"name": "g", "atlas.dstype": "gauge", **tags}


def ask(
    store: MetricStore,
    query: Query,
    *,
    by: tuple[str, ...] = (),
    aggregate: Aggregate = Aggregate.SUM,
    start: int = -40_000,
    end: int = 0,
) -> dict[tuple[str, ...], list[float]]:
    """Fetch with times relative to now; group values -> line."""
    window = Window(start_ms=NOW_MS + start, end_ms=NOW_MS + end, step_ms=STEP_MS)
    lines = store.fetch(
        Fetch(
            query=query,
            aggregate=aggregate,
            consolidation=Consolidation.AVG,
            window=window,
            group_by=by,
        )
    )
    return {
        tuple(tags[key] for key in by): values.tolist()
        for tags, values in zip(lines.tags, lines.values, strict=True)
    }


def open_store(path: Path, clock: ManualClock, **limits: int) -> MetricStore:
    return MetricStore.open(
        path,
        step_ms=STEP_MS,
        hot_window_ms=3_600_000,
        clock=clock,
        limits=Limits(**limits),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[MetricStore]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def test_groups_add_up_and_missing_stays_missing(store: MetricStore) -> None:
    """A gap would be shown as zero, or a sum lack a series."""
    store.write(
        batch(
            (gauge(app="a", node="1"), -20_000, 1.0),
            (gauge(app="a", node="2"), -20_000, 2.0),
            (gauge(app="b", node="3"), -10_000, 5.0),
        )
    )
    lines = ask(store, AnyOf(), by=("app",))
    nan = float("nan")
    assert list(lines) == [("a",), ("b",)]
    np.testing.assert_array_equal(lines["a",], [nan, nan, 3.0, nan, nan])
    np.testing.assert_array_equal(lines["b",], [nan, nan, nan, 5.0, nan])


def test_counter_becomes_a_rate_per_second(store: MetricStore) -> None:
    """Counters would be shown as totals."""
    counter = {"name": "c", "atlas.dstype": "counter"}
    samples = [(counter, -40_000 + 10_000 * i, float(100 * i)) for i in range(5)]
    for sample in samples:
        store.write(batch(sample))
    np.testing.assert_array_equal(
        ask(store, Equal("name", "c"))[()], [float("nan"), 10.0, 10.0, 10.0, 10.0]
    )


def test_restart_answers_the_same(tmp_path: Path, clock: ManualClock) -> None:
    """A restart would change what graphs show."""
    store = open_store(tmp_path, clock)
    store.write(batch((gauge(app="a"), -20_000, 1.0), (gauge(app="b"), -10_000, 2.0)))
    before = ask(store, AnyOf(), by=("app",))
    store.close()
    again = open_store(tmp_path, clock)
    after = ask(again, AnyOf(), by=("app",))
    again.close()
    assert list(before) == list(after)
    for group, line in before.items():
        np.testing.assert_array_equal(line, after[group])


def test_refusals_name_their_reason_and_keep_the_rest(store: MetricStore) -> None:
    """One bad series would lose the batch, or vanish without a word."""
    receipt = store.write(
        batch(
            (gauge(app="a"), 0, 1.0),
            ({"app": "no-name"}, 0, 1.0),
            (gauge(app="half \ud83d"), 0, 1.0),
            (gauge(app="a"), -7_200_000, 1.0),
            (gauge(app="a"), 600_000, 1.0),
        )
    )
    assert receipt.accepted == 1
    assert {r.reason for r in receipt.rejected} == {
        "nameMissing",
        "valueCharacters",
        "dataTooOld",
        "dataFromFuture",
    }
    assert store.series_count == 1


def test_series_limit_sheds_new_series_only(tmp_path: Path, clock: ManualClock) -> None:
    """A flood of new series would push out those that people watch."""
    store = open_store(tmp_path, clock, max_series=2)
    receipt = store.write(batch(*((gauge(app=app), 0, 1.0) for app in "abc")))
    assert (receipt.accepted, [r.reason for r in receipt.rejected]) == (2, ["seriesLimit"])
    assert store.write(batch((gauge(app="a"), 0, 2.0))).accepted == 1
    store.close()


def test_series_without_data_expire(store: MetricStore, clock: ManualClock) -> None:
    """Series that ended would take places for ever."""
    store.write(batch((gauge(app="old"), 0, 1.0)))
    clock.advance_ms(3 * 3_600_000)
    store.write(batch((gauge(app="new"), 3 * 3_600_000, 1.0)))
    assert store.values("app", AnyOf()) == ["new"]
