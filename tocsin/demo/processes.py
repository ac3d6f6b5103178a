"""Child processes that are always ended again: started, awaited, stopped in reverse order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import orjson

from collectors.errors import TocsinError
from tocsin.client.wording import duration

_STOP_TIMEOUT_S = 8.0


class ProcessError(TocsinError):
    """A process did not start, or died before it was ready.

    Args:
        name: What it is called in the demo.
        reason: What happened.
        log: File with its output.
    """

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} {reason}; its last words, from {log}:\n{tail(log)}")
        self.name = name
        self.log = log


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, indented; empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(
        "    " + line for line in log.read_text(errors="replace").splitlines()[-lines:]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A started process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None


class Processes:
    """A set of child processes with one life time; use it as a context manager."""

    def __init__(self, log_dir: Path, environment: Mapping[str, str]) -> None:
        self._log_dir = log_dir
        self._environment = dict(environment)
        self._children: list[Child] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Processes:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self.stop()

    def start(self, name: str, command: Sequence[str], **environment: str) -> Child:
        """Start ``command`` in its own process group, output to ``<log_dir>/<name>.log``."""
        log = self._log_dir / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the demo starts its own programs
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment | environment,
                start_new_session=True,
            )
        child = Child(name=name, process=process, log=log)
        with self._lock:
            self._children.append(child)
        return child

    def stop(self) -> None:
        """End every process that was started; none is left behind.

        The last one ends before the others are told: it may still send them its last words.
        """
        with self._lock:
            children, self._children = self._children[::-1], []
        for together in (children[:1], children[1:]):
            for child in together:
                _signal_group(child, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_TIMEOUT_S
            for child in together:
                _await_end(child, deadline)


def _await_end(child: Child, deadline_s: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(max(0.1, deadline_s - time.monotonic()))
    _signal_group(child, signal.SIGKILL)
    child.process.wait()


def _signal_group(child: Child, number: signal.Signals) -> None:
    # A group outlives its leader: also signal it when the leader is gone, for the grandchildren.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def wait_for_json_line(child: Child, timeout_s: float) -> dict[str, Any]:
    """Return the first JSON object that ``child`` prints and that is no line of its log."""

    def look() -> dict[str, Any] | None:
        for line in child.log.read_bytes().splitlines():
            if line.startswith(b"{") and line.endswith(b"}"):
                answer: dict[str, Any] = orjson.loads(line)
                if "event" not in answer:
                    return answer
        return None

    return _wait(child, look, timeout_s)


def wait_for_file(child: Child, path: Path, timeout_s: float) -> dict[str, Any]:
    """Return the JSON object that ``child`` writes to ``path`` once it is ready."""

    def look() -> dict[str, Any] | None:
        if not path.exists():
            return None
        with contextlib.suppress(orjson.JSONDecodeError):
            answer: dict[str, Any] = orjson.loads(path.read_bytes())
            return answer
        return None

    return _wait(child, look, timeout_s)


def wait_for_http(child: Child, url: str, timeout_s: float) -> None:
    """Return when ``url`` answers 200."""

    def look() -> dict[str, Any] | None:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(url, timeout=2.0, trust_env=False).status_code == 200:
                return {}
        return None

    _wait(child, look, timeout_s)


def _wait(
    child: Child, look: Callable[[], dict[str, Any] | None], timeout_s: float
) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        if not child.alive:
            raise ProcessError(child.name, f"ended with {child.process.returncode}", child.log)
        time.sleep(0.1)
    raise ProcessError(child.name, f"was not ready within {duration(timeout_s)}", child.log)
