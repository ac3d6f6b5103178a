"""A full disk: judging and paging go on, what is acknowledged is durable, and it is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from anomaly.findings import FindingState
from collectors.errors import StorageError
from collectors.host.disk import FullDisk
from collectors.model import Batch
from tocsin.settings import Settings
from tocsin.testing import LocalTocsin, local_tocsin

OBJECTIVE = (Path(__file__).parent / "answers.yaml").read_text()


@pytest.fixture
def disk() -> FullDisk:
    return FullDisk()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    slos = tmp_path / "config" / "slos"
    slos.mkdir(parents=True)
    (slos / "answers.yaml").write_text(OBJECTIVE)
    return Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config", history="off")


@pytest.fixture
def running(settings: Settings, disk: FullDisk) -> Iterator[LocalTocsin]:
    with local_tocsin(settings, disk) as started:
        yield started


def traffic(bad: float, **more: str) -> Callable[[int], Batch]:
    """Return what arrives: a share of bad answers."""

    def batch(now_ms: int) -> Batch:
        return Batch(
            series=[{"name": "bad", **more}, {"name": "all", **more}],
            series_index=np.arange(2, dtype=np.int32),
            time_ms=np.full(2, now_ms, dtype=np.int64),
            value=np.array([bad, 100.0]),
        )

    return batch


def firing(running: LocalTocsin) -> list[str]:
    """Return the rules that fire now."""
    found = running.engine.findings()
    return [finding.rule for finding in found if finding.state is FindingState.FIRING]


def titles(running: LocalTocsin) -> list[str]:
    """Return the titles of the incidents that are open."""
    return sorted(i.title for i in running.desk.ledger.incidents() if i.is_open)


def no_room(running: LocalTocsin) -> Callable[[], None]:
    """Let the incident database take no writes; return what lets it again."""

    def refuse(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA query_only = 1")

    def again() -> None:
        event.remove(running.desk.engine, "checkout", refuse)
        running.desk.engine.dispose()

    event.listen(running.desk.engine, "checkout", refuse)
    return again


def test_judging_and_paging_go_on(running: LocalTocsin, disk: FullDisk) -> None:
    """An outage on the day of the full disk would ring nobody."""
    running.run(60, traffic(0.0))
    disk.full = True
    running.run(12, traffic(60.0))

    assert "slo/answers" in str(firing(running))
    assert titles(running)[0].startswith("answers")
    assert any("metric log" in title for title in titles(running))


def test_nothing_is_acknowledged_that_is_not_durable(running: LocalTocsin, disk: FullDisk) -> None:
    """Whoever sent it would forget it, and the next kill would lose it."""
    disk.full = True
    with pytest.raises(StorageError, match="No space left"):
        running.collectors.pushed.write(traffic(0.0)(running.now_ms))


def test_it_is_told_and_ends_by_itself(running: LocalTocsin, disk: FullDisk) -> None:
    """Nobody would know what is lost, or a restart would be needed when there is space again."""
    running.run(3, traffic(0.0))
    disk.full = True
    running.run(3, traffic(0.0))
    [fault] = running.api.health()["faults"]

    assert (fault["what"], running.api.health()["status"]) == ("metric log", "degraded")
    assert "No space left" in fault["reason"]
    assert "refused" in fault["lost"]

    disk.full = False
    running.run(2, traffic(0.0))

    assert (running.api.health()["faults"], running.api.health()["status"]) == ([], "ok")
    [incident] = running.desk.ledger.incidents()
    assert not incident.firing


def test_what_came_meanwhile_and_after_survives_a_kill(
    settings: Settings, disk: FullDisk, tmp_path: Path
) -> None:
    """Samples of series that were first seen on the full disk would belong to nobody."""
    with local_tocsin(settings, disk) as running:
        running.run(3, traffic(1.0))
        disk.full = True
        running.run(3, traffic(1.0, app="new"))
        disk.full = False
        running.run(3, traffic(1.0, app="new"))
        copied = tmp_path / "killed"
        shutil.copytree(settings.data_dir, copied)
        held = running.collectors.metrics.series_count
    with local_tocsin(settings.model_copy(update={"data_dir": copied})) as again:
        assert again.collectors.metrics.series_count == held
        assert not again.collectors.machine.faults.present()


def test_a_page_rings_without_a_record(
    running: LocalTocsin, capsys: pytest.CaptureFixture[str]
) -> None:
    """The incident database is on the same disk: nobody would be paged as long as it is full."""
    running.run(60, traffic(0.0))
    again = no_room(running)
    running.run(14, traffic(60.0))

    health = running.api.health()
    assert "incident database" in [fault["what"] for fault in health["faults"]]
    assert running.desk.ledger.incidents() == []
    told = capsys.readouterr().err
    assert told.count("Not recorded") == told.count("[SEV") - told.count("again: ") >= 1
    assert "answers" in told

    again()
    running.run(2, traffic(60.0))

    assert any(title.startswith("answers") for title in titles(running))
    assert "incident database" not in [f["what"] for f in running.api.health()["faults"]]
