"""A newcomer's machine: an empty home, the tutorials' blocks in terminals, ports that are free."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.tocsin.documents.blocks import ROOT, titled

PORTS = {
    "TOCSIN_API_PORT": 7101,
    "TOCSIN_OTLP_HTTP_PORT": 4318,
    "TOCSIN_OTLP_GRPC_PORT": 4317,
    "TOCSIN_SPECTATOR_PORT": 1234,
}
APP_PORTS = (8000, 8001, 8002, 9100)


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Machine:
    """Runs blocks of one directory's tutorials, with the documented ports moved to free ones.

    Attributes:
        home: The clone's directory, as far as a newcomer sees it; and the home directory.
        extra: Environment of the server besides.
    """

    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    ports: dict[int, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Choose ports."""
        for port in (*PORTS.values(), *APP_PORTS):
            self.ports[port] = free_port()

    @property
    def api_url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.ports[7101]}"

    def environment(self) -> dict[str, str]:
        """Return a newcomer's environment: nothing of ours but the ports."""
        own = {name: str(self.ports[port]) for name, port in PORTS.items()}
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "PYTHONPATH")}
        own |= {"HOME": str(self.home), "TOCSIN_API_URL": self.api_url, "NO_PROXY": "*"}
        return {**kept, **own, **self.extra}

    def moved(self, text: str) -> str:
        """Return text with the documented ports replaced."""
        return re.sub(
            r"(?<=127\.0\.0\.1:)\d+|(?<=--port )\d+|(?<=listen\()\d+|(?<=start_http_server\()\d+"
            r'|(?<="127\.0\.0\.1", )\d+',
            lambda match: str(self.ports[int(match[0])]),
            text,
        )

    def room(self, name: str) -> Path:
        """Return a directory of its own for a tutorial, which shares ops/ with the others."""
        room = self.home / name
        room.mkdir()
        (room / ".venv").symlink_to(ROOT / ".venv")
        (self.home / "ops").mkdir(exist_ok=True)
        (room / "ops").symlink_to(self.home / "ops")
        return room

    def write(self, page: str, title: str, room: Path) -> None:
        """Write a titled block to the file that its title names."""
        path = room / title
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.moved(titled(page)[title].text))

    def start(self, page: str, title: str, room: Path) -> None:
        """Run a block that goes on, in a terminal of its own; its output goes to a file."""
        with (room / f"{title}.log").open("wb") as log:
            self.running[f"{room.name}: {title}"] = subprocess.Popen(
                ["bash", "-c", self.moved(titled(page)[title].text)],
                cwd=room,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, page: str, title: str, room: Path, **renamed: str) -> str:
        """Run a block to its end and return what it printed; it must succeed line by line."""
        text = self.moved(titled(page)[title].text)
        for old, new in renamed.items():
            text = text.replace(old.replace("_", "-"), new)
        path = f'export PATH="{ROOT}/.venv/bin:$PATH"\n'
        done = subprocess.run(
            ["bash", "-euc", path + text],
            cwd=room,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{title}: {done.stdout}{done.stderr}"
        return done.stdout

    def stop(self, name: str, number: signal.Signals = signal.SIGINT) -> None:
        """Press Ctrl-C in a terminal, or send another signal, and wait."""
        process = self.running.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        """Stop everything."""
        for name in reversed(list(self.running)):
            self.stop(name)


def wait_for(reached: Callable[[], object], timeout_s: float, what: str) -> float:
    """Poll until ``reached``; return how long it took, seconds."""
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < timeout_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.5)  # each look is a request or a file of a real process
    return time.monotonic() - began
