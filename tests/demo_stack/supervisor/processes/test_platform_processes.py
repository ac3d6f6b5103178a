"""The platform as real processes: up, a fault through the control server, death, and the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo_stack.chaos.truth import read_truth

ROOT = Path(__file__).parents[4]
START_S = 60.0


class Running:
    """A platform that was started, and its control server."""

    def __init__(self, run_dir: Path, *arguments: str) -> None:
        self.run_dir = run_dir
        command = [sys.executable, "-m", "demo_stack", "up", "--run-dir", str(run_dir)]
        self.process = subprocess.Popen(
            [*command, "--otlp-endpoint", "http://127.0.0.1:9", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.control = json.loads(self.process.stdout.readline())["control"]
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.pids = [child.pid for child in children]

    def ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return httpx2.request(method, self.control + path, json=body, timeout=START_S)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run_dir / "platform.json").read_text())
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    platform = Running(tmp_path / "run", "--sps", "2")
    yield platform
    platform.end()


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.05)


def _gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.processes
@pytest.mark.paired
@pytest.mark.slow
def test_a_region_dies_comes_back_and_everything_ends_cleanly(running: Running) -> None:
    """A stop that leaves processes behind is none."""
    document = running.document()
    assert set(document["regions"]) == {"us-east-1", "eu-west-1"}
    discovery = json.loads((running.run_dir / "discovery/catalogue.json").read_text())
    for group in discovery:
        page = httpx2.get(f"http://{group['targets'][0]}/metrics").text
        assert "catalogue_lookups" in {one.name for one in text_string_to_metric_families(page)}

    injected = running.ask("POST", "/faults", {"name": "region-death"})
    assert injected.status_code == 201
    status = running.ask("GET", "/status").json()
    assert status["regions"]["eu-west-1"]["state"] == "dead"
    assert status["regions"]["us-east-1"]["state"] == "up"
    assert status["faults"] == ["region-death"]
    assert not psutil.pid_exists(document["regions"]["eu-west-1"]["pid"])

    assert running.ask("DELETE", "/faults/region-death").status_code == 200
    back = running.ask("GET", "/status").json()["regions"]["eu-west-1"]
    assert back["state"] == "up"
    assert back["pid"] != document["regions"]["eu-west-1"]["pid"]
    (event,) = read_truth(running.run_dir / "ground-truth.jsonl")
    assert event.end_ms is not None
    assert event.end_ms > event.start_ms

    pids = [*running.pids, back["pid"]]
    running.process.send_signal(signal.SIGTERM)
    _, complaints = running.process.communicate(timeout=15)
    assert (running.process.returncode, complaints) == (0, b"")
    assert _gone(pids)


@pytest.mark.processes
@pytest.mark.paired
@pytest.mark.slow
def test_control_refuses_nonsense_and_children_die_with_a_killed_supervisor(
    running: Running,
) -> None:
    """A killed supervisor must leave no process behind."""
    for method, path, body, status in [
        ("POST", "/faults", {"name": "nonsense"}, 404),
        ("POST", "/faults", {"nom": "playback-errors"}, 400),
        ("POST", "/faults", ["playback-errors"], 400),
        ("DELETE", "/faults/playback-errors", None, 409),
        ("POST", "/actions/disturb", {"region": "mars", "point": "x"}, 404),
        ("POST", "/actions/disturb", {"planet": "mars"}, 404),
        ("POST", "/actions/nonsense", {}, 404),
    ]:
        answer = running.ask(method, path, body)
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True), path
    bad_json = httpx2.post(running.control + "/faults", content=b"{")
    assert bad_json.status_code == 400
    for method, path, body, status in [
        ("POST", "/faults", {"name": "playback-errors"}, 201),
        ("POST", "/faults", {"name": "playback-errors"}, 409),
        ("DELETE", "/faults/playback-errors", None, 200),
    ]:
        assert running.ask(method, path, body).status_code == status
    assert all(not fault["active"] for fault in running.ask("GET", "/faults").json()["faults"])

    os.kill(running.process.pid, signal.SIGKILL)
    _until(lambda: _gone(running.pids))
