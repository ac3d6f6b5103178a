"""A real disk that is really full: a small file system in memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from collectors.model import Batch
from tocsin.settings import Settings
from tocsin.testing import LocalTocsin, local_tocsin

OBJECTIVE = (Path(__file__).parent / "answers.yaml").read_text()
SIZE = 8 << 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tocsin-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system: mounting one takes root and the right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


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


def fill(place: Path) -> Path:
    """Take all the room that is left; return what takes it."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return ballast


def whats(running: LocalTocsin) -> set[str]:
    """Return what fails by ``/health``."""
    return {fault["what"] for fault in running.api.health()["faults"]}


def test_judging_and_paging_go_on(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a pretended disk can't show: SQLite, the log and checkpoints on one that is full."""
    slos = tmp_path / "config" / "slos"
    slos.mkdir(parents=True)
    (slos / "answers.yaml").write_text(OBJECTIVE)
    settings = Settings(data_dir=small / "data", config_dir=tmp_path / "config", history="off")
    with local_tocsin(settings) as running:
        running.run(60, traffic(0.0))
        ballast = fill(small)
        running.run(14, traffic(60.0))

        assert {"metric log", "incident database"} & whats(running)
        assert max(running.engine.lags_ms().values()) <= 3 * running.step_ms
        assert "answers" in capsys.readouterr().err

        ballast.unlink()
        running.run(4, traffic(60.0))

        assert whats(running) == set()
        assert any(i.title.startswith("answers") for i in running.desk.ledger.incidents())
    with local_tocsin(settings) as again:
        assert again.collectors.metrics.series_count >= 2
        assert again.desk.ledger.incidents()
