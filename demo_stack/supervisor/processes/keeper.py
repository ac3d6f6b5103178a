"""Starts a process again that died without being told to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from demo_stack.chassis.errors import PlatformError

RESTART_AFTER_S = 5.0

_log = logging.getLogger(__name__)


class Kept(Protocol):
    """A process."""

    name: str

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    async def ended(self) -> None:
        """Wait until it does not run, if it ever has."""
        ...


class Keeper:
    """Keeps one process up.

    Args:
        process: Which.
        start: Starts it; a :class:`PlatformError` says that it did not come up.
        restart_after_s: How long it stays away when it dies, in seconds.
    """

    def __init__(
        self,
        process: Kept,
        start: Callable[[], Awaitable[Any]],
        restart_after_s: float = RESTART_AFTER_S,
    ) -> None:
        self._process = process
        self._start = start
        self._restart_after_s = restart_after_s
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._starting = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to watch."""
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Leave the process alone, whatever becomes of it."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def leave_dead(self) -> None:
        """Do not start it when it is dead: it was killed on purpose."""
        self._wanted.clear()

    async def up(self) -> bool:
        """Start it now unless it runs, and keep it up again; return whether it had to be started.

        Raises:
            PlatformError: It did not come up; it is tried again in a while.
        """
        self._wanted.set()
        return await self._start_if_dead()

    async def _start_if_dead(self) -> bool:
        async with self._starting:
            if self._process.alive:
                return False
            await self._start()
            return True

    async def _watch(self) -> None:
        while True:
            await self._process.ended()
            await asyncio.sleep(self._restart_after_s)
            await self._wanted.wait()
            try:
                if await self._start_if_dead():
                    _log.warning("%s had died and was started again", self._process.name)
            except PlatformError as error:
                _log.warning("%s; trying again", error)
