"""A child process that says in one line when it is up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.lifeline import die_with_parent

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0


class StartError(PlatformError):
    """A child process did not come up."""


class Child:
    """``python -m demo_stack <arguments>``, with its complaints in a log file; it dies with us.

    Args:
        name: For messages and the log's name.
        arguments: Command line after ``python -m demo_stack``.
        log_dir: Directory of the log.
    """

    def __init__(self, name: str, arguments: Sequence[str], log_dir: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._log = log_dir / f"{name}.log"
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id, while it is alive."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> dict[str, Any]:
        """Start the process; return what it says when it is up.

        Raises:
            StartError: It ended, or said nothing in time.
        """
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "demo_stack", *self._arguments,
                stdin=PIPE, stdout=PIPE, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent(),
            )  # fmt: skip
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            await self.stop()
            raise StartError(f"{self.name} did not start; see {self._log}")
        ready: dict[str, Any] = orjson.loads(line)
        return ready

    async def kill(self) -> None:
        """End the process as ``kill -9`` does."""
        self._signal(signal.SIGKILL)
        await self._ended()

    async def kill_all(self) -> None:
        """Kill the process and everything that it started."""
        if self._process is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session of its own
        await self._ended()

    def pause(self) -> None:
        """Stop the process where it stands: it neither answers nor dies."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Ask the process to end; insist after a while."""
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._ended()
        except TimeoutError:
            await self.kill()

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self._ended()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
