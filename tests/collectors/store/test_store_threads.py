"""Many threads write and read one store at once."""

import threading
from pathlib import Path

import numpy as np

from collectors.clock import ManualClock
from collectors.model import Batch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

NOW_MS = 1_700_000_000_000
STEP_MS = 1_000
WRITERS, ROUNDS = 4, 60


def test_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    """Writers, readers and checkpoints at once would corrupt each other."""
    store = MetricStore.open(
        tmp_path, step_ms=STEP_MS, hot_window_ms=600_000, clock=ManualClock(NOW_MS)
    )
    window = Window(start_ms=NOW_MS - ROUNDS * STEP_MS, end_ms=NOW_MS, step_ms=STEP_MS)
    failures: list[BaseException] = []
    done = threading.Event()

    def ask(aggregate: Aggregate, group_by: tuple[str, ...]) -> np.ndarray:
        request = Fetch(
            query=AnyOf(),
            aggregate=aggregate,
            consolidation=Consolidation.AVG,
            window=window,
            group_by=group_by,
        )
        return store.fetch(request).values

    def write(writer: int) -> None:
        for step in range(ROUNDS):
            time_ms = NOW_MS - step * STEP_MS
            tags = {"name": "s", "writer": str(writer), "step": str(step), "atlas.dstype": "sum"}
            batch = Batch(
                series=[tags, {"name": "shared", "atlas.dstype": "sum"}],
                series_index=np.array([0, 1], dtype=np.int32),
                time_ms=np.full(2, time_ms),
                value=np.ones(2),
            )
            assert store.write(batch).accepted == 2
            labels = {"__name__": "g", "writer": str(writer)}
            assert store.write_remote(write_request([(labels, [(time_ms, 1.0)])])).accepted == 1

    def read() -> None:
        while not done.is_set():
            assert np.nanmax(ask(Aggregate.SUM, ("writer",)), initial=0) <= 2
            ask(Aggregate.ALL, ())
            store.keys(AnyOf())
            store.values("step", Equal("name", "s"))
            store.checkpoint()

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    readers = [threading.Thread(target=guarded, args=(read,)) for _ in range(2)]
    writers = [threading.Thread(target=guarded, args=(write, n)) for n in range(WRITERS)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert not failures
    total = np.nansum(ask(Aggregate.SUM, ()))
    assert total == WRITERS * ROUNDS * 3
    assert store.series_count == WRITERS * ROUNDS + 1 + WRITERS
    store.close()
