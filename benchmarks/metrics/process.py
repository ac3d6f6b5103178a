"""A server under test: its process, memory, disk and readiness."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(url: str, timeout_s: float = 120.0) -> bytes:
    """Return the body that ``url`` answers."""
    with urllib.request.urlopen(url, timeout=timeout_s) as reply:
        return bytes(reply.read())


class Server:
    """Starts, kills and restarts one process.

    Args:
        command: What to run.
        data: The directory that it keeps its data in.
        ready_url: Answers 2xx once the server works.
        environment: Of the process.
    """

    def __init__(
        self, command: Sequence[str], data: Path, ready_url: str, environment: Mapping[str, str]
    ) -> None:
        self._command = list(command)
        self._ready_url = ready_url
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self.data = data

    def start(self) -> None:
        """Run the server and wait until it is ready."""
        log = (self.data.parent / "server.log").open("ab")
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=log, stderr=log, cwd=self.data.parent
        )
        log.close()
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                text = (self.data.parent / "server.log").read_text()[-2_000:]
                raise RuntimeError(f"'{self._command[0]}' ended with {text}")
            try:
                get(self._ready_url, timeout_s=5)
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"'{self._command[0]}' was not ready in 300 s")

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.wait(timeout=600)
        self._process = None

    def rss_bytes(self) -> int:
        """Return the resident memory of the process."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def cpu_s(self) -> float:
        """Return the processor time that the process has taken."""
        assert self._process is not None
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def disk_bytes(self) -> int:
        """Return the size of the data directory as allocated on the disk."""
        files = [path for path in self.data.rglob("*") if path.is_file()]
        return sum(path.stat().st_blocks * 512 for path in files)
