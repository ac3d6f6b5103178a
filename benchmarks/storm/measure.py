"""Plays the storm on a real server that pages a real local Slack, and looks on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import orjson
import psutil

from benchmarks.storm.world import STORM, UNRELATED, UNRELATED_TITLE, bodies, rows, spans

TOKEN, SECRET = "xoxb-storm", "storm-secret"
UNRELATED_AFTER_S = 8.0
LOOK_EVERY_S = 0.5
PATHS = ("/api/v2/findings", "/api/v2/incidents", "/health")


@dataclass(slots=True, kw_only=True)
class Figures:
    """What was seen; seconds, and milliseconds where it says so.

    Attributes:
        findings: Most findings that fired at once.
        storm_page_s: From the storm's first failing data to its page in Slack.
        unrelated_page_s: From the unrelated outage's first failing data to its page.
        lag_s: Largest lag of evaluation.
        waits_ms: Waits for answers by path.
        messages: Messages in the channel at the end, those of threads left out.
        incidents: Incidents at the end.
        memory_mb: Largest resident memory, and before the storm.
        cpu_s: Processor time of the server during the storm.
    """

    findings: int = 0
    storm_page_s: float | None = None
    unrelated_page_s: float | None = None
    lag_s: float = 0.0
    waits_ms: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in PATHS})
    messages: int = 0
    incidents: int = 0
    memory_mb: float = 0.0
    memory_before_mb: float = 0.0
    cpu_s: float = 0.0


class Play:
    """A server, a Slack and a world.

    Args:
        directory: Where they keep what they write.
        users: Groups of the objective that fails everywhere at once.
        step_s: Length of a step.
        history: ``TOCSIN_HISTORY``; empty for the default.
    """

    def __init__(self, directory: Path, *, users: int, step_s: int, history: str = "") -> None:
        self._directory, self._users, self._step_s = directory, users, step_s
        self._children: list[subprocess.Popen[bytes]] = []
        self.figures = Figures()
        self.failing = self.unrelated = False
        self._over = threading.Event()
        slos = directory / "config" / "slos"
        slos.mkdir(parents=True)
        (slos / "storm.yaml").write_text(STORM)
        (slos / "billing.yaml").write_text(UNRELATED)
        arguments = ["--token", TOKEN, "--signing-secret", SECRET, "--channel", "incidents"]
        self._slack = self._child(["-m", "demo_stack.slack", *arguments], {})["url"]
        given = {
            "TOCSIN_DATA_DIR": str(directory / "data"),
            "TOCSIN_CONFIG_DIR": str(directory / "config"),
            "TOCSIN_STEP": f"{step_s}s",
            "TOCSIN_HOT_WINDOW": "1h",
            "TOCSIN_SLACK_BOT_TOKEN": TOKEN,
            "TOCSIN_SLACK_SIGNING_SECRET": SECRET,
            "TOCSIN_SLACK_BASE_URL": f"{self._slack}/api/",
        }
        given |= {f"TOCSIN_{p}_PORT": "0" for p in ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")}
        given |= {"TOCSIN_HISTORY": history} if history else {}
        self._addresses = self._child(["-m", "tocsin", "serve", "--json"], given)
        self._process = psutil.Process(self._children[-1].pid)

    def run(self, *, before_s: float, after_s: float) -> Figures:
        """Let all be well for ``before_s``, then fail, and look on for ``after_s``."""
        threads = [threading.Thread(target=work) for work in (self._feed, self._look)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(before_s)
            self._storm(after_s)
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        return self.figures

    def close(self) -> None:
        """End what was started."""
        for child in reversed(self._children):
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=60)

    def _storm(self, after_s: float) -> None:
        figures = self.figures
        figures.memory_before_mb, cpu_s = self._memory_mb(), self._cpu_s()
        for waits in figures.waits_ms.values():
            waits.clear()
        figures.lag_s = 0.0
        begun = time.monotonic()
        self.failing = True
        while (passed_s := time.monotonic() - begun) < UNRELATED_AFTER_S + after_s:
            self.unrelated = passed_s >= UNRELATED_AFTER_S
            figures.memory_mb = max(figures.memory_mb, self._memory_mb())
            texts = self._messages()
            if texts and figures.storm_page_s is None:
                figures.storm_page_s = passed_s
            if figures.unrelated_page_s is None and any(UNRELATED_TITLE in t for t in texts):
                figures.unrelated_page_s = passed_s - UNRELATED_AFTER_S
            time.sleep(LOOK_EVERY_S)
        figures.messages = len(self._messages())
        figures.cpu_s = self._cpu_s() - cpu_s

    def _feed(self) -> None:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            while not self._over.wait(self._step_s - time.time() % self._step_s + 0.05):
                # Of the step that has just ended; failing is what it was for most of it.
                time_ms = int(time.time()) // self._step_s * self._step_s * 1_000
                made = [*rows(self._users, failing=self.failing, unrelated=self.unrelated)]
                for body in bodies(made, time_ms):
                    client.post(self._addresses["api"] + "/api/v1/publish", content=body)
                if self.failing:
                    client.post(
                        self._addresses["otlp_http"] + "/v1/traces",
                        content=orjson.dumps(spans(200, time_ms)),
                        headers={"content-type": "application/json"},
                    )

    def _look(self) -> None:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            while not self._over.wait(LOOK_EVERY_S):
                for path in PATHS:
                    begun = time.perf_counter()
                    answer = client.get(self._addresses["api"] + path)
                    waited_ms = (time.perf_counter() - begun) * 1_000
                    self.figures.waits_ms[path].append(waited_ms)
                    self._note(path, orjson.loads(answer.content))

    def _note(self, path: str, answer: Mapping[str, Any]) -> None:
        figures = self.figures
        if path == "/health":
            figures.lag_s = max(figures.lag_s, answer["watch"]["lag_s"] or 0.0)
        elif path == "/api/v2/findings":
            figures.findings = max(figures.findings, answer["total"])
        else:
            figures.incidents = answer["total"]

    def _messages(self) -> list[str]:
        answer = httpx2.get(f"{self._slack}/preview/messages", trust_env=False, timeout=30)
        channels = answer.json()["channels"]
        return [message["text"] for channel in channels for message in channel["messages"]]

    def _memory_mb(self) -> float:
        return float(self._process.memory_info().rss) / (1 << 20)

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _child(self, arguments: list[str], given: Mapping[str, str]) -> dict[str, Any]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        with (self._directory / "log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *arguments],
                env={**inherited, **given},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._children.append(child)
        assert child.stdout is not None
        found: dict[str, Any] = orjson.loads(child.stdout.readline())
        return found


@contextmanager
def playing(directory: Path, *, users: int, step_s: int, history: str = "") -> Iterator[Play]:
    """Start everything; all of it is ended afterwards."""
    play = Play(directory, users=users, step_s=step_s, history=history)
    try:
        yield play
    finally:
        play.close()


def percentile(waits_ms: list[float], which: float) -> float:
    """Return a percentile; NaN of none."""
    return float(np.percentile(waits_ms, which)) if waits_ms else float("nan")
