"""A real Prometheus as a peer, where one is installed (Debian's package ``prometheus``)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

PROMETHEUS = shutil.which("prometheus")
NODE_EXPORTER = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
_POLL_S = 0.2


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_prometheus(directory: Path, config: Callable[[int], str]) -> Iterator[str]:
    """Run Prometheus while the context lasts; yield its address.

    Args:
        directory: Where it keeps its data.
        config: Its configuration, given the port that it listens on.
    """
    port = free_port()
    file = directory / "prometheus.yml"
    file.write_text(config(port))
    arguments = [
        str(PROMETHEUS),
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=native-histograms,exemplar-storage",
        "--web.enable-remote-write-receiver",
    ]
    with running(arguments, directory / "log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def run_node_exporter(directory: Path) -> Iterator[str]:
    """Run the node exporter while the context lasts; yield its address."""
    port = free_port()
    with running(
        [str(NODE_EXPORTER), f"--web.listen-address=127.0.0.1:{port}"], directory / "node.log"
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(arguments: Sequence[str], log_file: Path) -> Iterator[None]:
    """Run a program while the context lasts."""
    with log_file.open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)  # noqa: S603 - ours
        try:
            yield
        finally:
            process.kill()
            process.wait()


def eventually(check: Callable[[], Any], timeout_s: float = 40) -> Any:
    """Return the first true answer of ``check``."""
    pause = threading.Event()
    for _ in range(int(timeout_s / _POLL_S)):
        try:
            found = check()
        except httpx2.TransportError:
            found = None
        if found:
            return found
        pause.wait(_POLL_S)
    raise AssertionError(f"nothing within {timeout_s} s")
