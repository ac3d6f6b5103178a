"""Days that are sent long after their time: taken, answered, rolled up when they are complete."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.model import Batch, Receipt
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Equal
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore

STEP_MS = 60_000
DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS + 7_200_000
HOUR_MS = 3_600_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[HistoryEngine]:
    engine = HistoryEngine.open(f"chdb://{tmp_path / 'history'}")
    yield engine
    engine.close()


def opened(directory: Path, engine: HistoryEngine, clock: ManualClock) -> MetricStore:
    history = MetricHistory(engine, step_ms=STEP_MS)
    return MetricStore.open(
        directory / "store", step_ms=STEP_MS, hot_window_ms=HOUR_MS, clock=clock, history=history
    )


def send(store: MetricStore, *times_ms: int) -> Receipt:
    return store.write(
        Batch(
            series=[{"name": "old", "atlas.dstype": "gauge"}],
            series_index=np.zeros(len(times_ms), dtype=np.int32),
            time_ms=np.array(times_ms),
            value=np.full(len(times_ms), 3.0),
        )
    )


def held(store: MetricStore, days_ago: int) -> int:
    """Return how many steps of the five minutes from that day on have a value."""
    start_ms = NOW_MS - days_ago * DAY_MS
    window = Window(start_ms=start_ms, end_ms=start_ms + 4 * STEP_MS, step_ms=STEP_MS)
    request = Fetch(
        query=Equal("name", "old"),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=window,
    )
    return int(np.isfinite(store.fetch(request).values).sum())


def test_a_day_waits_until_nobody_fills_it_in_any_more(
    tmp_path: Path, engine: HistoryEngine
) -> None:
    """A day would be rolled up before its late samples came."""
    clock = ManualClock(NOW_MS)
    store = opened(tmp_path, engine, clock)
    store.flush_history()  # what is due today is done
    clock.advance_ms(DAY_MS)
    send(store, clock.now_ms())
    assert send(store, NOW_MS - 20 * DAY_MS).rejected == []
    store.flush_history()
    assert send(store, NOW_MS - 20 * DAY_MS + STEP_MS, NOW_MS - 30 * DAY_MS).accepted == 2
    assert (held(store, 20), held(store, 30)) == (2, 1)
    clock.advance_ms(2 * HOUR_MS)
    store.flush_history()
    assert (held(store, 20), held(store, 30)) == (5, 1)  # five minutes are one value now
    (refused,) = send(store, NOW_MS - 20 * DAY_MS).rejected
    assert (refused.reason, "rolled up" in refused.detail) == ("dataTooOld", True)
    assert send(store, NOW_MS - 25 * DAY_MS).accepted == 1  # between the two
    assert held(store, 25) == 1
    (refused,) = send(store, NOW_MS - 500 * DAY_MS).rejected
    assert refused.reason == "dataTooOld"
    store.close()


def test_late_samples_alone_are_sent_again_when_history_fails(
    tmp_path: Path, engine: HistoryEngine
) -> None:
    """Late samples would be lost when history is away for a moment."""
    store = opened(tmp_path, engine, ManualClock(NOW_MS))
    engine.command(f"RENAME TABLE {engine.database}.metric_samples TO {engine.database}.away")
    with pytest.raises(StorageError, match="history"):
        send(store, NOW_MS - DAY_MS)
    receipt = send(store, NOW_MS, NOW_MS - DAY_MS)
    assert receipt.accepted == 1
    assert [r.reason for r in receipt.rejected] == ["historyFailed"]
    engine.command(f"RENAME TABLE {engine.database}.away TO {engine.database}.metric_samples")
    assert send(store, NOW_MS - DAY_MS).accepted == 1
    store.close()
