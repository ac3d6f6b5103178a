"""What an instance does on its own, besides answering requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from demo_stack.chassis.errors import PlatformError


class Chores:
    """Repeated actions that end with their instance."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._farewells: list[Callable[[], None]] = []

    def every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Do ``action`` again and again, ``seconds`` apart; a failure is not the end."""
        self._tasks.append(asyncio.create_task(self._repeat(seconds, action)))

    def at_end(self, farewell: Callable[[], None]) -> None:
        """Call ``farewell`` when the instance ends."""
        self._farewells.append(farewell)

    def close(self) -> None:
        """End every chore."""
        for task in self._tasks:
            task.cancel()
        for farewell in self._farewells:
            farewell()

    async def _repeat(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await action()
            except PlatformError:
                continue  # its own span says so
