"""Changes announced to a running server: acknowledged once, there after kill -9."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

pytestmark = [pytest.mark.processes, pytest.mark.paired, pytest.mark.slow]
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "announce-changes.md"
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")


@contextmanager
def serving(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    """Run a server; it is gone afterwards."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    ports = {f"TOCSIN_{name}_PORT": "0" for name in PORTS}
    process = subprocess.Popen(
        [sys.executable, "-m", "tocsin", "serve", "--json"],
        env={**kept, **ports, "TOCSIN_DATA_DIR": str(directory), "TOCSIN_HISTORY": "off"},
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        api = orjson.loads(process.stdout.readline())["api"]
        with httpx2.Client(base_url=api, trust_env=False, timeout=20.0) as http:
            yield process, http
    finally:
        process.kill()
        process.communicate(timeout=30)


def listed(http: httpx2.Client) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = http.get("/api/v2/changes").json()["changes"]
    return changes


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_how_tos_curl_works(tmp_path: Path) -> None:
    """The commands that the documentation shows are answered 200, and the change is there."""
    commands = re.findall(r"```bash\n(curl.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert len(commands) == 3
    with serving(tmp_path) as (_, http):
        for command in commands:
            local = command.replace("http://127.0.0.1:7101", str(http.base_url).rstrip("/"))
            loud = local.replace("curl -s", "curl -s --noproxy '*' -o /dev/null -w '%{http_code}'")
            done = subprocess.run(["bash", "-c", loud], capture_output=True, text=True, check=True)
            assert done.stdout == "200"
        (change,) = listed(http)  # one, with its beginning and its end
        assert change["id"] == "pipeline-4711"
        assert change["time_ms"] <= change["end_ms"]
        assert change["summary"].endswith("everywhere")


def test_what_was_announced_survives_kill_nine(tmp_path: Path) -> None:
    """A deployment that was acknowledged would be missing from the next page."""
    change = {
        "kind": "deploy",
        "service": "playback",
        "summary": "Deployed playback 2.0",
        "time_ms": time.time_ns() // 1_000_000,
        "url": "https://ci.example/builds/77",
    }
    with serving(tmp_path) as (process, http):
        answer = http.post("/api/v2/changes", json=change)
        assert answer.status_code == 200
        assert answer.json()["accepted"] == 1
        process.send_signal(signal.SIGKILL)
        process.wait()

    with serving(tmp_path) as (_, http):
        [found] = listed(http)
        assert {name: found[name] for name in change} == change
        assert http.post("/api/v2/changes", json=change).json()["known"] == 1
        assert len(listed(http)) == 1
        assert http.post("/api/v2/changes", content=b"{").status_code == 400
        assert http.get("/health").json()["receivers"]["changes"]["refused"] == 1
