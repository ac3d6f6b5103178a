"""A block that leaves the hot window while a query reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.model import Batch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore

STEP_MS = 1_000
BLOCK_MS = BLOCK_STEPS * STEP_MS
START_MS = 1_700_000_000_000 // BLOCK_MS * BLOCK_MS
HOT_MS = 3 * BLOCK_MS


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture(name="store")
def _store(tmp_path: Path, clock: ManualClock) -> Iterator[MetricStore]:
    engine = HistoryEngine.open(f"chdb://{tmp_path / 'history'}")
    store = MetricStore.open(
        tmp_path / "store",
        step_ms=STEP_MS,
        hot_window_ms=HOT_MS,
        clock=clock,
        history=MetricHistory(engine, step_ms=STEP_MS),
    )
    yield store
    store.close()
    engine.close()


def write(store: MetricStore, clock: ManualClock, block: int) -> None:
    """Write one sample into a block."""
    clock.set_ms(START_MS + block * BLOCK_MS)
    batch = Batch(
        series=[{"name": "depth", "atlas.dstype": "gauge"}],
        series_index=np.zeros(1, np.int32),
        time_ms=np.array([clock.now_ms()]),
        value=np.array([float(block + 1)]),
    )
    assert store.write(batch).accepted == 1


def test_it_is_asked_of_history(store: MetricStore, clock: ManualClock) -> None:
    """One answer an hour would have a hole at its beginning, and an alert would see it."""
    for block in range(4):
        write(store, clock, block)
    request = Fetch(
        query=AnyOf(),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window(start_ms=START_MS, end_ms=START_MS + 3 * BLOCK_MS, step_ms=BLOCK_MS),
    )
    keeper, skipped = store._keeper, list[int]()
    assert keeper is not None
    first = keeper.columns_behind(request)

    def hot(skip: int) -> Lines:
        skipped.append(skip)
        if len(skipped) == 1:  # time goes on while the blocks are read
            for block in range(4, 6):
                write(store, clock, block)
        return store._fetch_hot(request, skip)

    _, behind = keeper.beside(request, hot)

    assert skipped == [first, behind]
    assert behind > first
    assert store.fetch(request).values.tolist() == [[1.0, 2.0, 3.0, 4.0]]
