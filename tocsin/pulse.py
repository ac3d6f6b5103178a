"""The heartbeat: several times a step, evaluate what is complete, then let pages move on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from collectors.clock import Clock

Tick = Callable[[], None]

# Looking is worth a twentieth of the time.
_REST = 20

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


def rest_ms(took_ms: int, step_ms: int) -> int:
    """Return how long to rest after a tick so that ticks take a twentieth of the time at most.

    One a step there is in any case.

    >>> rest_ms(10, 5_000), rest_ms(100, 5_000), rest_ms(1_000, 5_000)
    (200, 2000, 5000)
    """
    return min(took_ms * _REST, step_ms)


async def beat(
    clock: Clock,
    step_ms: int,
    every_ms: int,
    delay_ms: int,
    tick: Tick,
    woken: Callable[[int, int], None] | None = None,
) -> None:
    """Call ``tick`` in a worker thread several times a step, until cancelled.

    A tick that fails is logged and the next one comes all the same: a broken rule must not stop
    the others from paging.

    Args:
        clock: The present.
        step_ms: Length of a step: however long a tick takes, one comes in each.
        every_ms: How often it is called if it takes no time to speak of.
        delay_ms: How long after each multiple of that.
        tick: What is to be done.
        woken: Told the present of each beat and how late it came, milliseconds.
    """
    earliest_ms = 0
    while True:
        if earliest_ms - clock.now_ms() > step_ms:
            earliest_ms = 0  # time was set back
        now_ms = max(clock.now_ms(), earliest_ms)
        wait_ms = now_ms - clock.now_ms() + delay_to_next_ms(now_ms, every_ms, delay_ms)
        due_ms = clock.now_ms() + wait_ms
        await asyncio.sleep(wait_ms / 1_000)
        began_ms = clock.now_ms()
        if woken is not None:
            woken(began_ms, began_ms - due_ms)
        try:
            await asyncio.to_thread(tick)
        except Exception:  # noqa: BLE001 - see the docstring; the log carries the trace
            _log.exception("tick failed")
        ended_ms = clock.now_ms()
        earliest_ms = ended_ms + rest_ms(max(0, ended_ms - began_ms), step_ms) - every_ms
