"""A real server on loopback that is attacked, with a real local Slack that it pages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psutil

OBJECTIVE = """apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-works, displayName: Checkout works}
spec:
  service: checkout
  indicator:
    metadata: {name: checkout-sli}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: tocsin
            spec: {query: 'name,checkout.requests,:eq,status,500,:eq,:and,:sum'}
        total: {metricSource: {type: tocsin, spec: {query: 'name,checkout.requests,:eq,:sum'}}}
  timeWindow: [{duration: 1h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: ok, targetPercent: 99}]
"""
TOKEN, SECRET = "xoxb-attack", "attack-secret"
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")
_MEGABYTE = 1 << 20


class Stage:
    """A running ``tocsin serve`` and the local Slack.

    Attributes:
        directory: Where it keeps data and configuration.
        full: Whether the attack is made at full size.
        addresses: URLs by part: ``api``, ``otlp_http``, ``otlp_grpc``, ``spectator``.
        slack: URL of the local Slack.
    """

    def __init__(self, directory: Path, *, full: bool = False, **settings: str) -> None:
        self.directory = directory
        self.full = full
        self._settings = settings
        self._children: list[subprocess.Popen[bytes]] = []
        slos = directory / "config" / "slos"
        slos.mkdir(parents=True, exist_ok=True)
        (slos / "checkout.yaml").write_text(OBJECTIVE)
        arguments = ["--token", TOKEN, "--signing-secret", SECRET, "--channel", "incidents"]
        slack = self._child("slack", ["-m", "demo_stack.slack", *arguments], {})
        self.slack: str = slack["url"]
        self.addresses: dict[str, str] = {}
        self.start()

    @property
    def api(self) -> str:
        """URL of the API."""
        return self.addresses["api"]

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self._children[-1].pid)

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._children[-1].poll() is None

    def start(self) -> None:
        """Start the server, again if it was stopped; returns when it told its addresses."""
        given = {f"TOCSIN_{port}_PORT": "0" for port in PORTS}
        given |= {
            "TOCSIN_DATA_DIR": str(self.directory / "data"),
            "TOCSIN_CONFIG_DIR": str(self.directory / "config"),
            "TOCSIN_STEP": "1s",
            "TOCSIN_HISTORY": "off",
            "TOCSIN_HOT_WINDOW": "1h",
            "TOCSIN_SLACK_BOT_TOKEN": TOKEN,
            "TOCSIN_SLACK_SIGNING_SECRET": SECRET,
            "TOCSIN_SLACK_BASE_URL": f"{self.slack}/api/",
        }
        given |= {f"TOCSIN_{name.upper()}": value for name, value in self._settings.items()}
        self.addresses = self._child("tocsin", ["-m", "tocsin", "serve", "--json"], given)

    def stop(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server and wait for it."""
        self._children[-1].send_signal(how)
        _wait_for(self._children.pop())

    def get(self, path: str, timeout_s: float = 30) -> httpx2.Response:
        """Ask the API."""
        return httpx2.get(self.api + path, trust_env=False, timeout=timeout_s)

    def log(self) -> str:
        """Return what the server has logged."""
        return (self.directory / "tocsin.log").read_text()

    def memory_mb(self) -> float:
        """Return the server's largest resident memory since :meth:`forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():  # not Linux: what it is now
            return float(self.process.memory_info().rss) / _MEGABYTE
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1_024

    def forget_peak(self) -> None:
        """Measure the largest memory from now on, where the system can."""
        clear = Path(f"/proc/{self.process.pid}/clear_refs")
        if clear.exists():
            clear.write_text("5")

    def close(self) -> None:
        """End all that was started."""
        for child in reversed(self._children):
            child.terminate()
        for child in self._children:
            _wait_for(child)

    def _child(self, name: str, arguments: list[str], given: Mapping[str, str]) -> dict[str, Any]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        with (self.directory / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *arguments],
                env={**inherited, **given},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._children.append(child)
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, (
            f"{name} did not start: {(self.directory / f'{name}.log').read_text()[-2_000:]}"
        )
        found: dict[str, Any] = orjson.loads(line)
        return found


def _wait_for(child: subprocess.Popen[bytes]) -> None:
    """Wait until a child is gone that was told to end; what does not end is killed."""
    try:
        child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    assert child.stdout is not None
    child.stdout.close()


@contextmanager
def staged(directory: Path, *, full: bool = False, **settings: str) -> Iterator[Stage]:
    """Start a server of its own; everything is gone afterwards."""
    with ExitStack() as stack:
        stage = Stage(directory, full=full, **settings)
        stack.callback(stage.close)
        yield stage
