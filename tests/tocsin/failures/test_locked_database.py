"""Somebody holds the incident database: nothing waits for it but pages, and those go out late."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from anomaly.findings import FindingState
from collectors.model import Batch
from tocsin.settings import Settings
from tocsin.testing import LocalTocsin, local_tocsin

OBJECTIVE = (Path(__file__).parent / "answers.yaml").read_text()
WAITS_S = 0.2
"""How long a writer waits for the lock here; five seconds where nobody says otherwise."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[LocalTocsin]:
    slos = tmp_path / "config" / "slos"
    slos.mkdir(parents=True)
    (slos / "answers.yaml").write_text(OBJECTIVE)
    url = f"sqlite:///{tmp_path}/incidents.db?timeout={WAITS_S}"
    settings = Settings(
        data_dir=tmp_path / "data",
        config_dir=tmp_path / "config",
        history="off",
        database_url=url,
    )
    with local_tocsin(settings) as started:
        yield started


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the database as a backup or a curious person does."""
    with sqlite3.connect(directory / "incidents.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
    other.close()


def traffic(bad: float) -> Callable[[int], Batch]:
    """Return what arrives: a share of bad answers."""

    def batch(now_ms: int) -> Batch:
        return Batch(
            series=[{"name": "bad"}, {"name": "all"}],
            series_index=np.arange(2, dtype=np.int32),
            time_ms=np.full(2, now_ms, dtype=np.int64),
            value=np.array([bad, 100.0]),
        )

    return batch


def test_a_page_goes_out_late_rather_than_never(
    running: LocalTocsin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup that takes a minute would swallow what happens in it."""
    running.run(60, traffic(0.0))
    with locked(tmp_path):
        running.run(1, traffic(60.0))
        running.run(6, traffic(60.0))
        firing = [f for f in running.engine.findings() if f.state is FindingState.FIRING]
        health = running.api.health()

        assert firing
        assert max(running.engine.lags_ms().values()) <= 3 * running.step_ms
        assert [fault["what"] for fault in health["faults"]] == ["incident database"]
        assert "locked" in health["faults"][0]["reason"]
        assert "Not recorded" in capsys.readouterr().err

    running.run(3, traffic(60.0))

    rows = [
        row.state.value
        for incident in running.desk.ledger.incidents()
        for row in running.desk.outbox.rows(incident.id)
    ]
    assert rows
    assert set(rows) == {"sent"}
    assert running.api.health()["faults"] == []


def test_nobody_who_reads_waits_for_the_lock(running: LocalTocsin, tmp_path: Path) -> None:
    """Health, incidents and findings would be silent for as long as somebody holds the lock."""
    running.run(60, traffic(0.0))
    running.run(6, traffic(60.0))
    with locked(tmp_path), running.desk.ledger._lock:
        began_s = time.monotonic()
        running.api.health()
        running.api.findings()
        [incident, *_] = running.api.incidents()
        running.api.incident(incident["id"])
        assert time.monotonic() - began_s < 2.0
