"""Waiting where there is nothing to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 30.0
LOOK_EVERY_S = 0.01


async def no_wait(_seconds: float) -> None:
    """Give others a turn and pretend that the time has passed."""
    await asyncio.sleep(0)


async def until(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds that chores, threads or other processes bring about.

    Raises:
        TimeoutError: It does not, within ``patience_s`` seconds.
    """
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - whoever brings it about sends no event
            await asyncio.sleep(LOOK_EVERY_S)
