"""One flipped byte in any file: tocsin starts, judges on, keeps the rest and says what is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collectors.changes.change import Change
from collectors.model import Batch, Exemplar
from collectors.traces.testing import make_span
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

OBJECTIVE = (Path(__file__).parent / "answers.yaml").read_text()
PLACES = (0.0, 0.3, 0.6, 0.97) if "TOCSIN_LONG_STORIES" in os.environ else (0.0, 0.6)
# Where every byte is under a checksum: damage is always found.
CHECKED = ("metrics/log", "metrics/journal", "metrics/checkpoint", "exemplars", "changes")
KINDS = {
    "metric log": "metrics/log/*.log",
    "span log": "metrics/journal/*.log",
    "exemplar log": "exemplars/*.log",
    "changes": "changes/*.log",
    "manifest": "metrics/checkpoint/checkpoint.json",
    "series": "metrics/checkpoint/series-*.col",
    "copy of series": "metrics/checkpoint/series-*.copy",
    "block": "metrics/checkpoint/block-*.col",
    "shape": "metrics/shape.json",
    "incidents": "incidents.db",
    "incidents' log": "incidents.db-wal",
}


def traffic(bad: float) -> Callable[[int], Batch]:
    """Return what arrives: a share of bad answers, with an exemplar."""

    def batch(now_ms: int) -> Batch:
        exemplar = Exemplar(
            series=0, time_ms=now_ms, value=1.0, trace_id="a" * 32, span_id="b" * 16
        )
        return Batch(
            series=[{"name": "bad"}, {"name": "all"}],
            series_index=np.arange(2, dtype=np.int32),
            time_ms=np.full(2, now_ms, dtype=np.int64),
            value=np.array([bad, 100.0]),
            exemplars=[exemplar],
        )

    return batch


def settings_of(directory: Path) -> Settings:
    return Settings(data_dir=directory / "data", config_dir=directory / "config", history="off")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a kill leaves of a server that has a checkpoint, a log behind it, and an incident."""
    directory = tmp_path_factory.mktemp("running")
    (directory / "config" / "slos").mkdir(parents=True)
    (directory / "config" / "slos" / "answers.yaml").write_text(OBJECTIVE)
    left = tmp_path_factory.mktemp("killed")
    with local_tocsin(settings_of(directory)) as running:
        running.run(400, traffic(0.0))
        change = Change(id="1", time_ms=START_MS, kind="deploy", summary="v2")
        running.changes.add([change])
        running.collectors.spans.write_spans([make_span("1", start_ms=running.now_ms)])
        running.collectors.metrics.checkpoint()
        running.run(30, traffic(60.0))
        assert len(running.desk.ledger.incidents()) == 1
        shutil.copytree(directory, left, dirs_exist_ok=True)
    return left


def flip(path: Path, place: float) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[min(len(data) - 1, int(len(data) * place))] ^= 0x41
    path.write_bytes(data)


def judges_on(running: LocalTocsin) -> bool:
    """Whether, some steps later, every rule has judged the newest of them."""
    running.clock.set_ms(START_MS + 440 * running.step_ms)
    running.steps = 440
    running.run(6, traffic(0.0))
    return max(running.engine.lags_ms().values()) <= 3 * running.step_ms


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_byte_costs_itself_alone(killed: Path, tmp_path: Path, kind: str, place: float) -> None:
    """One bad sector would keep the monitoring down, or lose in silence what is beside it."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    files = sorted((tmp_path / "data").glob(KINDS[kind]))
    assert files, kind
    flip(files[-1], place)

    with local_tocsin(settings_of(tmp_path)) as again:
        health = again.api.health()
        assert judges_on(again), kind
        if KINDS[kind].startswith(CHECKED):
            assert health["status"] == "degraded"
            assert all(fault["lost"] and fault["place"] for fault in health["faults"])
        if "checkpoint" not in KINDS[kind] and kind != "metric log":
            assert again.collectors.metrics.series_count >= 2
        if "copy" in kind or kind in {"manifest", "series"}:
            assert again.collectors.metrics.series_count >= 2, "it is kept twice"
        if "incidents" not in kind:
            assert len(again.desk.ledger.incidents()) >= 1
        again.api.findings()
        again.api.incidents()


def test_damage_is_set_aside_and_never_deleted(killed: Path, tmp_path: Path) -> None:
    """Nobody could try to read more of it later."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    [block, *_] = sorted((tmp_path / "data/metrics/checkpoint").glob("block-*"))
    flip(block, 0.9)
    damaged = block.read_bytes()
    for _ in range(2):
        with local_tocsin(settings_of(tmp_path)) as again:
            again.run(1, traffic(0.0))
            again.collectors.metrics.checkpoint()
    [aside] = block.parent.glob("*.corrupt-*")
    assert aside.read_bytes() == damaged


def test_incidents_are_salvaged(killed: Path, tmp_path: Path) -> None:
    """One bad page would lose every incident there was."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    database = tmp_path / "data" / "incidents.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'finding_decisions'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    data = bytearray(database.read_bytes())
    data[(root - 1) * size] ^= 0xFF
    database.write_bytes(data)

    with local_tocsin(settings_of(tmp_path)) as again:
        [fault] = again.api.health()["faults"]
        assert fault["what"] == "incident database (damage)"
        assert len(again.desk.ledger.incidents()) == 1
        assert judges_on(again)
    assert list((tmp_path / "data").glob("incidents.db.corrupt-*"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE incident_events SET kind = 'invented' WHERE seq = 2", False),
        ("UPDATE incident_events SET data = '{' WHERE seq = 1", True),
        ("UPDATE incident_events SET seq = 900 WHERE seq = 1", True),
        ("UPDATE outbox SET action = 'invented', state = 'pending', claimed_ms = NULL", False),
        ("UPDATE finding_decisions SET finding = '{'", False),
    ],
)
def test_one_unknown_row_costs_itself_alone(
    killed: Path, tmp_path: Path, change: str, told: bool
) -> None:
    """A row of another version would keep the server down, or all pages."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    with sqlite3.connect(tmp_path / "data" / "incidents.db") as connection:
        connection.execute(change)
    connection.close()

    with local_tocsin(settings_of(tmp_path)) as again:
        faults = [fault["what"] for fault in again.api.health()["faults"]]
        assert faults == (["incidents (unread)"] if told else [])
        assert judges_on(again)
        again.api.incidents()
        again.desk.decisions.latest()
        again.run(30, traffic(60.0))
        found = [i for i in again.desk.ledger.incidents() if i.is_open]
        assert found
        assert any(row.state == "sent" for i in found for row in again.desk.outbox.rows(i.id))
