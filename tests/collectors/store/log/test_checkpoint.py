"""Checkpoints: a start from blocks equals a start from the log, and damage stays local."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from collectors.clock import ManualClock
from collectors.errors import ConfigError, StorageError
from collectors.model import Batch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.log.column_file import read_columns, write_columns
from collectors.store.metric_store import MetricStore

STEP_MS = 1_000
START_MS = 1_700_000_040_000
STEPS = 150


def open_store(path: Path, *, step_ms: int = STEP_MS) -> MetricStore:
    clock = ManualClock(START_MS + STEPS * STEP_MS)
    return MetricStore.open(path, step_ms=step_ms, hot_window_ms=600_000, clock=clock)


def write_steps(store: MetricStore, first: int, last: int) -> None:
    """Write one value a step for a gauge, a sum and a counter."""
    series = [{"name": kind, "atlas.dstype": kind} for kind in ("gauge", "sum", "counter")]
    for step in range(first, last):
        store.write(
            Batch(
                series=series,
                series_index=np.arange(3, dtype=np.int32),
                time_ms=np.full(3, START_MS + step * STEP_MS - 300),
                value=np.array([step % 7, 1.5, step * step], dtype=np.float64),
            )
        )


def answer(store: MetricStore) -> np.ndarray:
    """Return all lines over the whole time, by name."""
    window = Window(start_ms=START_MS, end_ms=START_MS + STEPS * STEP_MS, step_ms=STEP_MS)
    lines = store.fetch(
        Fetch(
            query=AnyOf(),
            aggregate=Aggregate.SUM,
            consolidation=Consolidation.AVG,
            window=window,
            group_by=("name",),
        )
    )
    assert [tags["name"] for tags in lines.tags] == ["counter", "gauge", "sum"]
    return lines.values


@pytest.fixture
def killed(tmp_path: Path) -> Callable[[MetricStore], Path]:
    """Copy a store's files as a kill would leave them, and give the copy's path."""
    copies: list[Path] = []

    def copy(store: MetricStore) -> Path:
        copies.append(tmp_path / f"copy-{len(copies)}")
        shutil.copytree(tmp_path / "store", copies[-1])
        return copies[-1]

    return copy


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricStore]:
    store = open_store(tmp_path / "store")
    yield store
    store.close()


def test_blocks_and_log_together_answer_the_same(
    store: MetricStore, killed: Callable[[MetricStore], Path]
) -> None:
    """After a kill, some steps would be missing or counted twice."""
    write_steps(store, 0, 70)
    store.checkpoint()
    write_steps(store, 70, 100)
    store.checkpoint()
    write_steps(store, 100, STEPS)
    expected = answer(store)
    again = open_store(killed(store))
    np.testing.assert_array_equal(answer(again), expected)
    again.close()


def test_the_log_is_short_after_a_checkpoint(store: MetricStore, tmp_path: Path) -> None:
    """The log would grow without end, and a restart take hours."""
    write_steps(store, 0, 100)
    log = tmp_path / "store" / "log"
    before = sum(path.stat().st_size for path in log.iterdir())
    store.checkpoint()
    assert sum(path.stat().st_size for path in log.iterdir()) < before / 10
    assert store.check() == []


def test_a_damaged_block_is_reported_and_the_rest_loads(
    store: MetricStore, killed: Callable[[MetricStore], Path]
) -> None:
    """One bad sector would lose the whole hot window."""
    write_steps(store, 0, STEPS)
    store.checkpoint()
    expected = answer(store)
    path = killed(store)
    oldest = min((path / "checkpoint").glob("block-*"), key=lambda p: int(p.name.split("-")[1]))
    data = bytearray(oldest.read_bytes())
    data[-10] ^= 1
    oldest.write_bytes(data)
    again = open_store(path)
    assert len(again.check()) == 1
    found = answer(again)
    lost = np.isnan(found) & ~np.isnan(expected)
    assert lost.any()
    np.testing.assert_array_equal(found[~lost], expected[~lost])
    again.close()


@pytest.mark.parametrize("name", ["checkpoint.json", "series-1.col"])
def test_a_damaged_checkpoint_does_not_stop_a_start(
    store: MetricStore, killed: Callable[[MetricStore], Path], name: str
) -> None:
    """One bad file would keep the monitoring down."""
    write_steps(store, 0, 10)
    store.checkpoint()
    path = killed(store)
    (path / "checkpoint" / name).write_bytes(b"nonsense\nmore")
    again = open_store(path)
    write_steps(again, 0, STEPS)
    assert np.isfinite(answer(again)).any()
    again.close()


def test_another_step_is_refused(store: MetricStore, killed: Callable[[MetricStore], Path]) -> None:
    """Data of another step would be read as if they were of this one."""
    write_steps(store, 0, 10)
    store.checkpoint()
    with pytest.raises(ConfigError, match="TOCSIN_STEP=1s"):
        open_store(killed(store), step_ms=5 * STEP_MS)


def test_a_disk_that_refuses_loses_nothing(
    store: MetricStore, killed: Callable[[MetricStore], Path], tmp_path: Path
) -> None:
    """A checkpoint that failed would drop the log it was to replace."""
    write_steps(store, 0, 80)
    directory = tmp_path / "store" / "checkpoint"
    shutil.rmtree(directory)
    with pytest.raises(StorageError, match="can't write"):
        store.checkpoint()
    directory.mkdir()
    write_steps(store, 80, STEPS)
    store.checkpoint()
    again = open_store(killed(store))
    np.testing.assert_array_equal(answer(again), answer(store))
    again.close()


def test_columns_survive_a_file_and_damage_is_seen(tmp_path: Path) -> None:
    """A flipped bit on the disk would be shown as a value."""
    columns: dict[str, NDArray[Any]] = {
        "a": np.arange(5),
        "b": np.ones((2, 3)),
        "empty": np.empty(0, dtype=np.uint16),
    }
    path = tmp_path / "x.col"
    write_columns(path, columns)
    found = read_columns(path)
    for name, column in columns.items():
        np.testing.assert_array_equal(found[name], column)
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        with pytest.raises(StorageError, match=r"x\.col"):
            read_columns(path)
