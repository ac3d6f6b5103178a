"""The heartbeat: once a step, evaluate what is complete, then let incidents and pages move on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from collectors.clock import Clock

Tick = Callable[[], None]

_log = structlog.get_logger(__name__)


def delay_to_next_ms(now_ms: int, step_ms: int, delay_ms: int) -> int:
    """Return how long to wait for the next moment that lies ``delay_ms`` after a step's end.

    >>> delay_to_next_ms(10_000, 5_000, 2_000)
    2000
    >>> delay_to_next_ms(12_000, 5_000, 2_000)
    5000
    """
    since_ms = (now_ms - delay_ms) % step_ms
    return step_ms - since_ms


async def beat(clock: Clock, step_ms: int, delay_ms: int, tick: Tick) -> None:
    """Call ``tick`` in a worker thread ``delay_ms`` after the end of every step, until cancelled.

    A tick that fails is logged and the next one comes all the same: a broken rule must not stop
    the others from paging.
    """
    while True:
        await asyncio.sleep(delay_to_next_ms(clock.now_ms(), step_ms, delay_ms) / 1_000)
        try:
            await asyncio.to_thread(tick)
        except Exception:  # noqa: BLE001 - see the docstring; the log carries the trace
            _log.exception("tick failed")
