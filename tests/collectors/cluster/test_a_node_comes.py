"""A fourth node joins three that have data: answers stay whole, or say what they may lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.placement import placement_of
from collectors.cluster.testing.nodes import MortalNodes, database_over
from collectors.errors import StorageError
from collectors.missing import noting
from collectors.model import Batch
from collectors.promql.evaluation.query import over_range
from collectors.promql.vectors.values import Vector
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore
from collectors.store.series.slots import slot_of
from tocsin.cluster.shards.judging import whole

STEP_MS, STEPS, SERIES = 10_000, 20, 120
T0 = 1_700_000_000_000
JOINED_MS, END_MS = T0 + 10 * STEP_MS, T0 + STEPS * STEP_MS
TAGS = [{"name": "heat", "n": str(n), "atlas.dstype": "gauge"} for n in range(SERIES)]
WINDOW = Window(start_ms=T0 + STEP_MS, end_ms=END_MS, step_ms=STEP_MS)


@pytest.fixture(name="stores", scope="module")
def _stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, MetricStore]]:
    """Each holds what was written while it held the slot."""
    path: Path = tmp_path_factory.mktemp("stores")
    clock = ManualClock(T0)
    stores = {
        name: MetricStore.open(path / name, step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock)
        for name in "abcd"
    }
    for step in range(1, STEPS + 1):
        clock.set_ms(T0 + step * STEP_MS)
        there = ("a", "b", "c") if clock.now_ms() <= JOINED_MS else ("a", "b", "c", "d")
        placement = placement_of(there)
        for name in there:
            held = [tags for tags in TAGS if name in placement.holders(slot_of(tags))]
            stores[name].write(
                Batch(
                    series=held,
                    series_index=np.arange(len(held), dtype=np.int32),
                    time_ms=np.full(len(held), clock.now_ms(), dtype=np.int64),
                    value=np.ones(len(held)),
                )
            )
    yield stores
    for store in stores.values():
        store.close()


def seen(stores: dict[str, MetricStore], *dead: str) -> ClusterDatabase:
    """Return what the last node answers while some are dead."""
    since = {"a": T0, "b": T0, "c": T0, "d": JOINED_MS + 1 + 60_000}
    membership = MortalNodes("d", tuple("abcd"), set(dead), since)
    return database_over("d", membership, stores, ManualClock(END_MS))[0]


def test_nothing_is_missing_while_those_of_before_are_there(
    stores: dict[str, MetricStore],
) -> None:
    """For a whole hot window every count would be too low, and nobody would know."""
    database = seen(stores)
    with noting() as missing:
        [counted] = evaluate("name,heat,:eq,:count", database, WINDOW).values.tolist()
        found = over_range("count(heat)", database.samples(), T0 + STEP_MS, END_MS, STEP_MS).value
    assert (counted, missing) == ([float(SERIES)] * STEPS, [])
    assert isinstance(found, Vector)
    assert set(np.asarray(found.values).ravel().tolist()) == {float(SERIES)}


@pytest.mark.parametrize("dead", ["a", "b", "c"])
def test_what_a_dead_senior_alone_had_is_told(stores: dict[str, MetricStore], dead: str) -> None:
    """The younger holder answers as if there had been nothing before it."""
    database = seen(stores, dead)
    with noting() as missing:
        [counted] = evaluate("name,heat,:eq,:count", database, WINDOW).values.tolist()
    assert counted[0] < SERIES == counted[-1]
    [said] = missing
    assert "who answers for them holds them since then" in said

    with noting() as missing:
        recent = Window.single(END_MS, STEP_MS)
        evaluate("name,heat,:eq,:count", database, recent)
    assert missing == []


def test_rules_go_on_with_what_is_recent(stores: dict[str, MetricStore]) -> None:
    """One node that joins would stop all judgement for hours; one that is gone must."""
    with whole():
        evaluate("name,heat,:eq,:count", seen(stores, "a"), WINDOW)
    with pytest.raises(StorageError, match="slots of the series are missing"), whole():
        evaluate("name,heat,:eq,:count", seen(stores, "a", "b"), WINDOW)
