"""A bad sector, a wrong setting: what a start makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from tests.attack.attack import Attack, Scene

CAUGHT_UP_S = 8.0
PLACES = (0.1, 0.5, 0.9)


def run(scene: Scene) -> None:
    """Kill the server, flip a byte in each kind of file, try another step, start it again."""
    stage = scene.stage
    data = stage.directory / "data"
    change = {"id": "1", "kind": "deploy", "summary": "v2"}
    httpx2.post(stage.api + "/api/v2/changes", json=change, trust_env=False, timeout=10)
    time.sleep(2)
    stage.stop(how=signal.SIGKILL)
    refused = _start_with_step(scene, "5s")
    scene.claim("another step is refused, with the reason", "TOCSIN_STEP=1s" in refused, refused)
    flipped = [_flip(path, place) for path in _files(data) for place in PLACES]
    scene.figures["bytes flipped"] = len(flipped)
    stage.start()
    health = stage.get("/health").json()
    told = [fault["what"] for fault in health["faults"]]
    scene.claim("it starts degraded", health["status"] == "degraded", told)
    scene.claim("it says what is lost", all(f["lost"] for f in health["faults"]), told)
    deadline = time.monotonic() + 30
    while not _lag_s(scene) < CAUGHT_UP_S and time.monotonic() < deadline:
        time.sleep(0.2)
    scene.beside.forget()
    time.sleep(2)


def _lag_s(scene: Scene) -> float:
    lag_s = scene.stage.get("/health").json()["watch"]["age_s"]
    return float("inf") if lag_s is None else float(lag_s)


def _files(data: Path) -> list[Path]:
    found = [*data.glob("metrics/log/*.log"), *data.glob("metrics/journal/*.log")]
    found += [*data.glob("changes/*.log"), *data.glob("exemplars/*.log")]
    return [path for path in found if path.stat().st_size]


def _flip(path: Path, place: float) -> str:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x41
    path.write_bytes(data)
    return path.name


def _start_with_step(scene: Scene, step: str) -> str:
    """Return what the server says to another step; "" if it starts."""
    arguments = [sys.executable, "-m", "tocsin", "serve", "--step", step, "--history", "off"]
    arguments += ["--data-dir", str(scene.stage.directory / "data")]
    arguments += [f"--{port}-port=0" for port in ("api", "otlp-http", "otlp-grpc", "spectator")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr if done.returncode == 2 else ""


ATTACK = Attack(
    name="damaged-start",
    holds="A start that does not fit refuses; a damaged file costs itself alone, and is told.",
    run=run,
    settings={"ring_again": "5m"},
    lag_s=15,
    refusals=("ConnectError", "ReadError", "RemoteProtocolError"),
)
