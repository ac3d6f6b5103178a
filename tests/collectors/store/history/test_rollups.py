"""Rollups answer as the samples did, without the tags that were dropped."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from collectors.errors import ConfigError, QueryError
from collectors.history.engine import HistoryEngine
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal, HasKey, Query
from collectors.store.history.metric_history import MetricHistory
from collectors.store.history.rolled_days import DAY_MS
from collectors.store.history.rollups import RollupPolicy, roll_up_day

STEP_MS = 60_000
ROLLUP_MS = 300_000
FIRST_DAY_MS = 19_000 * DAY_MS
SERIES = {
    1: {"name": "cpu", "app": "a", "node": "1", "atlas.dstype": "gauge"},
    2: {"name": "cpu", "app": "a", "node": "2", "atlas.dstype": "gauge"},
    3: {"name": "cpu", "app": "b", "node": "3", "atlas.dstype": "gauge"},
    4: {"name": "rps", "app": "a", "node": "1"},
    5: {"name": "rps", "app": "a", "node": "2"},
}
REQUESTS = [
    Fetch(
        query=AnyOf(),
        aggregate=aggregate,
        consolidation=consolidation,
        window=Window(
            start_ms=FIRST_DAY_MS + step_ms, end_ms=FIRST_DAY_MS + 2 * DAY_MS, step_ms=step_ms
        ),
        group_by=("name", "app"),
    )
    for (aggregate, consolidation), step_ms in product(
        [
            (Aggregate.SUM, Consolidation.AVG),
            (Aggregate.SUM, Consolidation.SUM),
            (Aggregate.COUNT, Consolidation.AVG),
            (Aggregate.MIN, Consolidation.MIN),
            (Aggregate.MAX, Consolidation.MAX),
        ],
        [ROLLUP_MS, 3_600_000],
    )
]


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[list[Lines], list[Lines], MetricHistory]]:
    """Answers before and after the first of two days is rolled up."""
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('rollups')}")
    history = MetricHistory(
        engine,
        step_ms=STEP_MS,
        rollup_step_ms=ROLLUP_MS,
        policies=[RollupPolicy(query=HasKey("node"), drop_keys=("node",))],
    )
    history.write_series(SERIES.items())
    times = FIRST_DAY_MS + np.arange(1, 2 * DAY_MS // STEP_MS + 1) * STEP_MS
    dice = np.random.default_rng(3)
    for number in SERIES:
        values = dice.integers(0, 100, len(times)).astype(np.float64)
        history.write_samples(np.full(len(times), number, dtype=np.uint64), times, values)
    before = [history.fetch(request) for request in REQUESTS]
    assert history.roll_up(FIRST_DAY_MS + DAY_MS) == 1
    after = [history.fetch(request) for request in REQUESTS]
    yield before, after, history
    engine.close()


def test_aggregates_stay_the_same(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """Old sums, counts, minima and maxima would change when they are rolled up."""
    before, after, _ = answers
    for request, was, now in zip(REQUESTS, before, after, strict=True):
        assert now.tags == was.tags, request
        np.testing.assert_allclose(now.values, was.values, err_msg=str(request))


def asked(query: Query, step_ms: int, aggregate: Aggregate = Aggregate.SUM) -> Fetch:
    """Return a fetch over both days."""
    window = Window(
        start_ms=FIRST_DAY_MS + step_ms, end_ms=FIRST_DAY_MS + 2 * DAY_MS, step_ms=step_ms
    )
    return Fetch(query=query, aggregate=aggregate, consolidation=Consolidation.AVG, window=window)


def test_dropped_tags_are_gone(answers: tuple[list[Lines], list[Lines], MetricHistory]) -> None:
    """Rolled-up series would still be as many as before."""
    by_node = answers[2].fetch(asked(HasKey("node"), 3_600_000)).values[0]
    assert np.isnan(by_node[:24]).all()
    assert np.isfinite(by_node[24:]).all()


@pytest.mark.parametrize("step_ms", [STEP_MS, 6 * STEP_MS])
def test_other_steps_show_the_rollup_that_they_end_in(
    answers: tuple[list[Lines], list[Lines], MetricHistory], step_ms: int
) -> None:
    """A graph with a smaller step than the rollup's would be empty."""
    *_, history = answers
    lines = history.fetch(asked(Equal("app", "b"), step_ms))
    coarse = history.fetch(asked(Equal("app", "b"), ROLLUP_MS)).values[0]
    half = DAY_MS // step_ms
    ends = np.arange(1, half + 1) * step_ms
    np.testing.assert_array_equal(lines.values[0, :half], coarse[-(-ends // ROLLUP_MS) - 1])
    assert np.isfinite(lines.values[0, half:]).all()


def test_every_series_has_its_own_tags_in_rollups_and_samples(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """Values would be shown under the tags of other series."""
    lines = answers[2].fetch(asked(Equal("name", "rps"), 3_600_000, Aggregate.ALL))
    nodes = {tags.get("node", ""): row for row, tags in enumerate(lines.tags)}
    assert sorted(nodes) == ["", "1", "2"]
    assert np.isfinite(lines.values[nodes[""], :24]).all()
    assert np.isnan(lines.values[nodes["1"], :24]).all()
    assert np.isfinite(lines.values[nodes["1"], 24:]).all()


def test_an_answer_that_is_too_large_is_refused_before_it_is_built(
    answers: tuple[list[Lines], list[Lines], MetricHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question of history could take all of the memory."""
    monkeypatch.setattr("collectors.store.history.metric_history.MAX_VALUES", 600)
    with pytest.raises(QueryError, match="narrow the query"):
        answers[2].fetch(REQUESTS[0])


def test_rolling_up_again_changes_nothing(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """A second run over the same day would count it twice."""
    _, after, history = answers
    assert history.roll_up(FIRST_DAY_MS + DAY_MS) == 0
    np.testing.assert_array_equal(history.fetch(REQUESTS[0]).values, after[0].values)


def test_a_rollup_step_must_fit(
    answers: tuple[list[Lines], list[Lines], MetricHistory], tmp_path: object
) -> None:
    """Rollups would straddle midnight and be counted in two days."""
    engine = answers[2]._engine
    with pytest.raises(ConfigError, match="divide a day"):
        MetricHistory(engine, step_ms=STEP_MS, rollup_step_ms=7 * STEP_MS)


@pytest.mark.parametrize(
    "setting",
    ["max_execution_time = 0.00001", "max_memory_usage = 100000, max_untracked_memory = 1"],
)
def test_a_query_that_takes_too_much_is_the_askers_to_change(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
) -> None:
    """A costly question would look like a defect of the server."""
    monkeypatch.setattr("collectors.store.history.fetch_sql.BUDGET", f" SETTINGS {setting}")
    with pytest.raises(QueryError, match="takes more of history's time or memory"):
        answers[2].fetch(REQUESTS[0])


def test_late_samples_do_not_replace_rollups(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """One late sample would hide what its hour had summed up."""
    _, after, history = answers
    number = np.array([5, 5], dtype=np.uint64)
    last_ms = FIRST_DAY_MS + 2 * DAY_MS
    times = np.array([FIRST_DAY_MS + ROLLUP_MS, last_ms])
    last = history.fetch(asked(Equal("name", "rps"), STEP_MS)).values[0, -1]
    kept = history.write_late(number, times, np.array([1e6, 1e6]))
    assert kept.tolist() == [False, True]
    assert history.roll_up(FIRST_DAY_MS + DAY_MS) == 0
    now = history.fetch(REQUESTS[0])
    np.testing.assert_array_equal(now.values[:, :-1], after[0].values[:, :-1])
    assert history.fetch(asked(Equal("name", "rps"), STEP_MS)).values[0, -1] > last + 9e5


def test_a_start_in_the_middle_of_rolling_up_answers_in_full(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """A crash while rolling up would lose the day, or count it twice."""
    *_, history = answers
    second_day_ms = FIRST_DAY_MS + DAY_MS
    before = history.fetch(REQUESTS[0])
    policies = [RollupPolicy(query=HasKey("node"), drop_keys=("node",))]
    engine = history._engine
    roll_up_day(engine, second_day_ms, step_ms=STEP_MS, rollup_step_ms=ROLLUP_MS, policies=policies)
    half = f"time > fromUnixTimestamp64Milli({second_day_ms + DAY_MS // 2}, 'UTC')"
    engine.command(
        f"ALTER TABLE {engine.database}.metric_rollup DELETE WHERE {half} "
        "SETTINGS mutations_sync = 2"
    )
    again = MetricHistory(engine, step_ms=STEP_MS, rollup_step_ms=ROLLUP_MS, policies=policies)
    np.testing.assert_allclose(again.fetch(REQUESTS[0]).values, before.values)
    assert again.roll_up(second_day_ms + DAY_MS) == 1
    np.testing.assert_allclose(again.fetch(REQUESTS[0]).values, before.values)


def test_an_old_day_that_comes_late_is_answered_at_once_and_rolled_up(
    answers: tuple[list[Lines], list[Lines], MetricHistory],
) -> None:
    """It lies behind days that are rolled up, which stay as they are."""
    *_, history = answers
    third_last_ms = FIRST_DAY_MS - DAY_MS
    times = third_last_ms + np.arange(1, DAY_MS // STEP_MS + 1) * STEP_MS
    window = Window(
        start_ms=third_last_ms + ROLLUP_MS, end_ms=FIRST_DAY_MS + DAY_MS, step_ms=ROLLUP_MS
    )
    request = replace(asked(Equal("app", "b"), ROLLUP_MS), window=window)
    before = history.fetch(request).values[0]
    assert np.isnan(before[:288]).all()
    kept = history.write_late(np.full(len(times), 3, np.uint64), times, times / STEP_MS % 7)
    assert kept.all()
    late = history.fetch(request).values[0]
    assert np.isfinite(late).all()
    np.testing.assert_array_equal(late[288:], before[288:])
    assert history.roll_up(FIRST_DAY_MS + DAY_MS) == 1
    np.testing.assert_allclose(history.fetch(request).values[0], late)
    again = MetricHistory(history._engine, step_ms=STEP_MS, rollup_step_ms=ROLLUP_MS)
    np.testing.assert_allclose(again.fetch(request).values[0], late)
    assert not again.write_late(np.full(1, 3, np.uint64), times[:1], times[:1] / 1.0).any()
