"""Queries are planned while series come and go: nobody waits, and no answer mixes two series."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import Batch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Equal, Regex
from collectors.store.metric_store import MetricStore

STEP_MS = 60_000
NOW_MS = 1_700_000_000_000 // STEP_MS * STEP_MS


def opened(path: Path) -> MetricStore:
    """Return an empty store."""
    return MetricStore.open(
        path,
        step_ms=STEP_MS,
        hot_window_ms=3_600_000,
        clock=ManualClock(NOW_MS),
        limits=Limits(memory_bytes=64 << 20),
    )


def batch(first: int, count: int) -> Batch:
    """Return a sample of 1 of as many pods, each of the service that its number says."""
    return Batch(
        series=[
            {"name": "up", "service": f"s{i % 7}", "pod": f"p{i}", "atlas.dstype": "gauge"}
            for i in range(first, first + count)
        ],
        series_index=np.arange(count, dtype=np.int32),
        time_ms=np.full(count, NOW_MS, dtype=np.int64),
        value=np.ones(count),
    )


def counted(keys: tuple[str, ...], query: Equal | Regex) -> Fetch:
    """Return a request for how many pods there are by ``keys``."""
    return Fetch(
        query=query,
        aggregate=Aggregate.COUNT,
        consolidation=Consolidation.AVG,
        window=Window(start_ms=NOW_MS, end_ms=NOW_MS, step_ms=STEP_MS),
        group_by=keys,
    )


def test_a_query_is_planned_while_a_writer_holds_the_store(tmp_path: Path) -> None:
    """Every sender would wait until a stranger's pattern is matched with a million values."""
    store = opened(tmp_path)
    store.write(batch(0, 100))
    slow = Regex("pod", "p.*")
    matching, written = threading.Event(), threading.Event()
    select = slow.compiled.select

    class Slow:
        """A pattern that is matched with the first values until a batch was written."""

        def select(self, texts: list[str]) -> object:
            """Match, once the writer is through."""
            matching.set()
            assert written.wait(10), "the writer waits for the query"
            return select(texts)

    object.__setattr__(slow, "compiled", Slow())
    answers: list[float] = []
    asking = threading.Thread(
        target=lambda: answers.append(float(store.fetch(counted((), slow)).values[0, 0]))
    )
    asking.start()
    assert matching.wait(10)
    store.write(batch(100, 50))
    written.set()
    asking.join(10)
    assert answers == [100.0]  # those that were there when it was asked
    assert store.fetch(counted((), slow)).values[0, 0] == 150.0
    store.close()


def test_no_answer_mixes_series_that_come_meanwhile(tmp_path: Path) -> None:
    """A pod would be counted for another's service, or twice."""
    store = opened(tmp_path)
    store.write(batch(0, 700))
    done = threading.Event()
    wrong: list[object] = []

    def ask() -> None:
        before = 700.0
        while not done.is_set():
            lines = store.fetch(counted(("service",), Equal("name", "up")))
            sizes = lines.values[:, 0]
            names = [tags["service"] for tags in lines.tags]
            if names != [f"s{i}" for i in range(7)] or sizes.sum() < before:
                wrong.append((names, sizes))
            before = float(sizes.sum())

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for first in range(700, 7_000, 70):
        store.write(batch(first, 70))
    done.set()
    for reader in readers:
        reader.join(20)
    assert wrong == []
    lines = store.fetch(counted(("service",), Equal("name", "up")))
    assert lines.values[:, 0].tolist() == [1_000.0] * 7
    store.close()


def test_pages_of_values_are_sorted_and_complete(tmp_path: Path) -> None:
    """A page of tags would repeat or miss some."""
    store = opened(tmp_path)
    store.write(batch(0, 5_000))
    every = sorted(f"p{i}" for i in range(5_000))
    anything = Equal("name", "up")
    assert store.values("pod", anything) == every
    after, found = "", list[str]()
    while page := store.values("pod", anything, after, 700):
        found += page
        after = page[-1]
    assert found == every
    store.close()
