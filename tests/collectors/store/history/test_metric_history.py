"""History: what left the hot window is answered as if it had stayed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.errors import ConfigError, StorageError
from collectors.history.engine import HistoryEngine
from collectors.model import Batch, Tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    In,
    Not,
    Or,
    Query,
    Regex,
)
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore

STEP_MS = 1_000
DAY_MS = 86_400_000
START_MS = 1_700_000_040_000
STEPS = 400
HOT_MS = 100_000

SERIES: list[Tags] = [
    {"name": "g", "app": "a", "zone": "x", "atlas.dstype": "gauge"},
    {"name": "g", "app": "b", "zone": "it^s", "atlas.dstype": "gauge"},
    {"name": "g", "app": "b", "atlas.dstype": "gauge"},
    {"name": "r", "app": "a", "zone": "x", "atlas.dstype": "sum"},
    {"name": "r", "app": "c", "zone": "y", "atlas.dstype": "sum"},
    {"name": "job:r:sum", "app": "東京\n\0'\\", "it's \\ 東": "a\tb", "atlas.dstype": "gauge"},
]
QUERIES: list[Query] = [
    AnyOf(),
    Equal("name", "g"),
    And(HasKey("zone"), Not(Equal("app", "b"))),
    Or(Regex("app", "[ab]"), In("zone", ("y",))),
    Regex("zone", "IT", ignore_case=True),
    Equal("name", "absent"),
    Equal("app", "東京\n\0'\\"),
    In("app", ("東京\n\0'\\", "a")),
    Regex("app", "東."),
    HasKey("it's \\ 東"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryEngine]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('history')}")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def stores(
    engine: HistoryEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MetricStore, MetricStore]]:
    """One store that keeps everything hot, and one with little memory and a history."""
    clock = ManualClock(START_MS)
    whole, split = (
        MetricStore.open(
            tmp_path_factory.mktemp("store"), step_ms=STEP_MS, hot_window_ms=hot, clock=clock
        )
        for hot in (2 * STEPS * STEP_MS, HOT_MS)
    )
    split.attach(MetricHistory(engine, step_ms=STEP_MS))
    for step, batch in enumerate(batches()):
        clock.set_ms(START_MS + step * STEP_MS)
        whole.write(batch)
        split.write(batch)
        if step % 50 == 0:
            split.flush_history()
    yield whole, split
    whole.close()
    split.close()


def batches() -> Iterator[Batch]:
    """Yield one batch a step; values and gaps follow a fixed dice."""
    dice = np.random.default_rng(5)
    for step in range(STEPS):
        present = np.flatnonzero(dice.random(len(SERIES)) < 0.7).astype(np.int32)
        yield Batch(
            series=SERIES,
            series_index=present,
            time_ms=np.full(len(present), START_MS + step * STEP_MS),
            value=dice.integers(0, 50, len(present)).astype(np.float64),
        )


def by_tags(lines: Lines) -> dict[frozenset[tuple[str, str]], list[float]]:
    """Lines by their tags; lines without any value don't count."""
    return {
        frozenset(tags.items()): values.tolist()
        for tags, values in zip(lines.tags, lines.values, strict=True)
        if not np.isnan(values).all()
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.sampled_from(QUERIES),
    aggregate=st.sampled_from(list(Aggregate)),
    consolidation=st.sampled_from(list(Consolidation)),
    group_by=st.sampled_from([(), ("app",), ("zone", "app"), ("it's \\ 東",)]),
    multiple=st.sampled_from([1, 5, 60]),
    first=st.integers(0, STEPS),
    columns=st.integers(1, 80),
)
def test_memory_and_history_answer_the_same(
    stores: tuple[MetricStore, MetricStore],
    query: Query,
    aggregate: Aggregate,
    consolidation: Consolidation,
    group_by: tuple[str, ...],
    multiple: int,
    first: int,
    columns: int,
) -> None:
    """A graph would jump where memory ends and history begins."""
    step_ms = multiple * STEP_MS
    start_ms = (START_MS + first * STEP_MS) // step_ms * step_ms
    window = Window(start_ms=start_ms, end_ms=start_ms + (columns - 1) * step_ms, step_ms=step_ms)
    request = Fetch(
        query=query,
        aggregate=aggregate,
        consolidation=consolidation,
        window=window,
        group_by=group_by,
    )
    whole, split = (store.fetch(request) for store in stores)
    found = by_tags(split)
    expected = by_tags(whole)
    assert found.keys() == expected.keys()
    for tags, line in expected.items():
        np.testing.assert_allclose(found[tags], line)
    if aggregate is not Aggregate.ALL:
        assert list(split.tags) == sorted(split.tags, key=lambda t: [t[k] for k in group_by])


def test_samples_behind_the_hot_window_go_to_history(
    stores: tuple[MetricStore, MetricStore],
) -> None:
    """What comes too late for memory would be lost."""
    _, split = stores
    old_ms = START_MS - 3_600_000
    late = Batch(
        series=[
            {"name": "late", "atlas.dstype": "gauge"},
            {"name": "c", "atlas.dstype": "counter"},
        ],
        series_index=np.array([0, 1], dtype=np.int32),
        time_ms=np.array([old_ms - 500, old_ms]),
        value=np.array([7.0, 1.0]),
    )
    receipt = split.write(late)
    assert receipt.accepted == 1
    assert [(r.reason, r.count) for r in receipt.rejected] == [("dataTooOld", 1)]
    lines = split.fetch(
        Fetch(
            query=Equal("name", "late"),
            aggregate=Aggregate.SUM,
            consolidation=Consolidation.AVG,
            window=Window(start_ms=old_ms, end_ms=old_ms, step_ms=STEP_MS),
        )
    )
    assert lines.values.tolist() == [[7.0]]


def test_a_run_of_counters_behind_the_hot_window_goes_to_history_as_rates(
    stores: tuple[MetricStore, MetricStore],
) -> None:
    """Late totals would be stored as if they were rates."""
    _, split = stores
    old_ms = (START_MS - 3_600_000) // STEP_MS * STEP_MS
    times = np.array([old_ms + STEP_MS * i for i in range(4)])
    late = Batch(
        series=[{"name": "lc", "atlas.dstype": "counter"}],
        series_index=np.zeros(4, dtype=np.int32),
        time_ms=times,
        value=np.arange(4) * 3.0 * STEP_MS / 1000,
    )
    receipt = split.write(late)
    assert (receipt.accepted, receipt.rejected) == (4, [])
    lines = split.fetch(
        Fetch(
            query=Equal("name", "lc"),
            aggregate=Aggregate.SUM,
            consolidation=Consolidation.AVG,
            window=Window(start_ms=old_ms + STEP_MS, end_ms=old_ms + 3 * STEP_MS, step_ms=STEP_MS),
        )
    )
    assert lines.values.tolist() == [[3.0, 3.0, 3.0]]


def test_history_answers_when_the_hot_tier_was_lost(
    stores: tuple[MetricStore, MetricStore], tmp_path: Path
) -> None:
    """Losing the checkpoint would lose what history has."""
    _, split = stores
    split.flush_history()
    history = split._keeper._feed.history  # type: ignore[union-attr]
    now_ms = START_MS + STEPS * STEP_MS
    fresh = MetricStore.open(
        tmp_path,
        step_ms=STEP_MS,
        hot_window_ms=HOT_MS,
        clock=ManualClock(now_ms),
        history=history,
    )
    start_ms = (now_ms // 60_000 - 3) * 60_000
    window = Window(start_ms=start_ms, end_ms=start_ms + 60_000, step_ms=STEP_MS)
    request = Fetch(
        query=AnyOf(),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=window,
        group_by=("name",),
    )
    found, expected = by_tags(fresh.fetch(request)), by_tags(split.fetch(request))
    assert expected
    for tags, line in expected.items():
        np.testing.assert_allclose(found[tags], line)
    fresh.close()


def test_check_passes_and_old_days_are_dropped(engine: HistoryEngine) -> None:
    """The disk would fill with days that are out of date."""
    history = MetricHistory(engine, step_ms=STEP_MS)
    times = np.array([DAY_MS, 5 * DAY_MS, 9 * DAY_MS])
    history.write_series([(9, {"name": "old"})])
    history.write_samples(np.full(3, 9, dtype=np.uint64), times, np.ones(3))
    history.drop_before(6 * DAY_MS)
    lines = history.fetch(
        Fetch(
            query=Equal("name", "old"),
            aggregate=Aggregate.COUNT,
            consolidation=Consolidation.SUM,
            window=Window(start_ms=DAY_MS, end_ms=9 * DAY_MS, step_ms=DAY_MS),
        )
    )
    assert np.nansum(lines.values) == 1
    assert history.check() == []


@pytest.mark.parametrize(
    ("url", "error"),
    [("mysql://x", ConfigError), ("http://:secret@127.0.0.1:9/tocsin", StorageError)],
)
def test_a_wrong_address_says_so_without_the_password(url: str, error: type[Exception]) -> None:
    """The database's password would stand in the log."""
    with pytest.raises(error) as caught:
        HistoryEngine.open(url)
    assert "secret" not in str(caught.value)


def test_another_step_is_refused(engine: HistoryEngine, tmp_path: Path) -> None:
    """Data of another step would be read as if they were of this one."""
    store = MetricStore.open(
        tmp_path, step_ms=5_000, hot_window_ms=60_000, clock=ManualClock(START_MS)
    )
    with pytest.raises(ConfigError, match="step of 1000 ms"):
        store.attach(MetricHistory(engine, step_ms=STEP_MS))
    store.close()


def test_the_embedded_engine_loads_only_when_it_is_asked_for() -> None:
    """Every start would wait for a large library."""
    program = "import collectors.store.metric_store, sys; sys.exit('chdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_table_of_an_earlier_version_takes_over_what_new_ones_have(tmp_path: Path) -> None:
    """Nobody writes a history anew to have it take less room."""
    program = (
        "import sys\n"
        "from collectors.history.engine import HistoryEngine\n"
        "from collectors.history.schema import KEPT, SAMPLES\n"
        "from collectors.history.tables import plain_sql\n"
        "from collectors.store.history.metric_history import MetricHistory\n"
        "engine = HistoryEngine.open(sys.argv[1])\n"
        "old = plain_sql(SAMPLES, engine.database)\n"
        "old = old.replace('Float64 CODEC(', 'Float64 CODEC(Gorilla, ')\n"
        "old = old.replace('SETTINGS ' + KEPT, '')\n"
        "assert 'Gorilla' in old and KEPT not in old\n"
        "engine.command(old)\n"
        "MetricHistory(engine, step_ms=1_000)\n"
        "told = engine.columns(f'SHOW CREATE TABLE {engine.database}.metric_samples')[0][0]\n"
        "assert KEPT in told and 'Gorilla' not in told, told\n"
        "engine.close()\n"
    )
    command = [sys.executable, "-c", program, f"chdb://{tmp_path}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 0, found.stderr
