"""A server that can't be reached is waited for, and used from when it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from collectors.errors import ConfigError, StorageError
from collectors.history.address import DATABASE
from collectors.history.engine import HistoryEngine
from collectors.history.schema import METRICS


class Server:
    """A server that is away until it is told to come; counts who tries.

    Args:
        path: Its data.
    """

    def __init__(self, path: Path) -> None:
        self.here = False
        self.tries = 0
        self.now_s = 0.0
        self._make: Callable[[], Any] = partial(
            clickhouse_connect.get_client, interface="chdb", path=str(path)
        )

    def client(self) -> Any:
        """Return a client, if it is here."""
        self.tries += 1
        if not self.here:
            raise ConnectionRefusedError("connection refused")
        return self._make()

    def seconds(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Server:
    return Server(tmp_path / "server")


@pytest.fixture(name="engine")
def _engine(server: Server) -> Iterator[HistoryEngine]:
    engine = HistoryEngine(server.client, DATABASE, patient=True, seconds=server.seconds)
    yield engine
    engine.close()


def test_a_start_goes_on_without_it(server: Server, engine: HistoryEngine) -> None:
    """An hour without ClickHouse would be an hour without detection."""
    engine.keep(METRICS)

    assert not engine.reached
    assert engine.failure == "history: connection refused"
    with pytest.raises(StorageError, match="connection refused"):
        engine.columns("SELECT 1")
    assert server.tries == 1


def test_it_is_used_when_it_comes(server: Server, engine: HistoryEngine) -> None:
    """What waits would wait until somebody starts the process again."""
    engine.keep(METRICS)
    server.here = True
    server.now_s += 10

    assert engine.partitions("metric_samples") == []
    assert (engine.reached, engine.failure, server.tries) == (True, "", 2)


def test_it_is_not_tried_by_every_question(server: Server, engine: HistoryEngine) -> None:
    """Each query would wait for the server as long as one may, one after the other."""
    for _ in range(5):
        with pytest.raises(StorageError):
            engine.columns("SELECT 1")
    assert server.tries == 1
    server.now_s += 10
    with pytest.raises(StorageError):
        engine.columns("SELECT 1")
    assert server.tries == 2


def test_tables_that_do_not_fit_are_told_when_it_comes(
    server: Server, engine: HistoryEngine, tmp_path: Path
) -> None:
    """The thread that writes would end by an error that it does not expect."""
    engine.keep(METRICS)
    server.here = True
    other = HistoryEngine(server.client, DATABASE)
    other.command(f"CREATE TABLE {DATABASE}.metric_samples (series UInt64) ENGINE = Memory")
    with pytest.raises(ConfigError, match="no column 'time'"):
        other.keep(METRICS)
    server.now_s += 10

    with pytest.raises(StorageError, match="no column 'time'"):
        engine.columns("SELECT 1")
    assert not engine.reached
    other.close()


def test_whoever_is_not_patient_is_told_at_once(server: Server) -> None:
    """`tocsin history check` would find every part of nothing sound."""
    with pytest.raises(StorageError, match="connection refused"):
        HistoryEngine(server.client, DATABASE)
