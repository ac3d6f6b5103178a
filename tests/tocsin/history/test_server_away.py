"""A start while the history's server is away, and what becomes of it when it comes."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import ConfigError, StorageError
from collectors.history.address import DATABASE
from collectors.history.engine import HistoryEngine
from collectors.history.testing.served import served_history
from collectors.model import Batch
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Equal
from collectors.traces.search import TraceSearch
from collectors.traces.testing import make_span
from tocsin.collecting import Collectors, open_collectors
from tocsin.settings import load_settings

STEP_MS = 10_000
NOW_MS = 1_700_000_000_000 // STEP_MS * STEP_MS
HOUR_MS = 3_600_000


def free_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def opened(directory: Path, url: str, clock: ManualClock) -> Collectors:
    """Open the stores with a history at ``url``."""
    settings = {"data_dir": directory, "history": url, "max_series": 1_000, "hot_window": "1h"}
    collectors = open_collectors(load_settings(settings), clock)
    assert collectors.spans.wait_replayed(20)
    return collectors


def send(collectors: Collectors, now_ms: int, value: float) -> None:
    """Write a sample of one gauge."""
    series = [{"name": "depth", "atlas.dstype": "gauge"}]
    batch = Batch(
        series=series,
        series_index=np.zeros(1, np.int32),
        time_ms=np.array([now_ms]),
        value=np.array([value]),
    )
    assert collectors.metrics.write(batch).accepted == 1


def asked(collectors: Collectors, time_ms: int) -> list[list[float]]:
    """Return the gauge's value at a time."""
    request = Fetch(
        query=Equal("name", "depth"),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window(start_ms=time_ms, end_ms=time_ms, step_ms=STEP_MS),
    )
    values: list[list[float]] = collectors.metrics.fetch(request).values.tolist()
    return values


def test_what_came_meanwhile_is_in_history_when_the_server_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start would fail, or go on and never write what was acknowledged."""
    monkeypatch.setattr("collectors.history.engine._AGAIN_S", 0.0)
    clock, port = ManualClock(NOW_MS), free_port()
    collectors = opened(tmp_path / "data", f"http://127.0.0.1:{port}/?compress=false", clock)
    [fault] = collectors.machine.faults.present()
    assert (fault.what, str(port) in fault.place, "refused" in fault.reason) == (
        "history",
        True,
        True,
    )

    send(collectors, NOW_MS, 7.0)
    collectors.spans.write_spans([make_span("1", trace="a", start_ms=NOW_MS)])
    with pytest.raises(StorageError):
        collectors.metrics.flush_history()
    assert asked(collectors, NOW_MS) == [[7.0]]

    with served_history(tmp_path / "server", port):
        clock.advance_ms(30 * HOUR_MS)
        send(collectors, clock.now_ms(), 8.0)  # the block of before leaves the hot window
        collectors.metrics.flush_history()
        assert collectors.span_keeper is not None
        collectors.span_keeper.flush()
        assert collectors.machine.faults.present() == []
        assert asked(collectors, NOW_MS) == [[7.0]]
        assert [found.trace_id for found in collectors.spans.search(TraceSearch())] != []
        collectors.close()


def test_tables_that_do_not_fit_stop_a_start(tmp_path: Path) -> None:
    """Everything would be refused by the server, one block after the other."""
    with served_history(tmp_path / "server") as url:
        engine = HistoryEngine.open(url)
        engine.command(f"CREATE TABLE {DATABASE}.metric_samples (series UInt64) ENGINE = Memory")
        engine.close()

        with pytest.raises(ConfigError, match="has no column 'time'"):
            opened(tmp_path / "data", url, ManualClock(NOW_MS))
