"""A backup of a server that goes on taking data: killed, its disk gone, put back, started again."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from tests.tocsin.test_serve import eventually, log, publish, server, total

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def tocsin(*words: object) -> str:
    command = [sys.executable, "-m", "tocsin", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_acknowledged_before_a_backup_is_in_it(tmp_path: Path) -> None:
    """The night's copy of a busy server would lack its last hours, or not start at all."""
    data, archive, stop = tmp_path / "data", tmp_path / "night.tar", threading.Event()
    data.mkdir()

    with server(data) as first:
        assert publish(first, "kept", 42.0) == 200
        log(first, "no stock left")
        said = {"title": "Checkout is slow", "severity": "SEV2", "actor": "ana"}
        url = first.addresses["api"] + "/api/v2/incidents"
        declared = httpx2.post(url, json=said, trust_env=False).json()["id"]

        def go_on() -> None:
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
                publish(first, f"later-{number % 50}", 1.0)

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            tocsin("backup", archive, "--data-dir", data)
        finally:
            stop.set()
            writer.join()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()

    shutil.rmtree(data)
    tocsin("restore", archive, "--data-dir", data)
    with server(data) as second:
        assert total(second, "kept") == 42.0
        eventually(lambda: len(second.get("/api/v1/logs?text=stock")["lines"]) == 1)
        assert second.get(f"/api/v2/incidents/{declared}")["title"] == "Checkout is slow"
        assert [one for one in second.get("/health")["faults"] if "damage" in str(one)] == []
