"""Places in the code where a failure can be injected.

A service says ``await points.reach("playback.start")`` where it depends on something that may
fail. While a disturbance is set for that point, some of the requests that reach it are delayed or
fail, in the words that the real failure would use: nothing that leaves the service tells a
disturbance from the real thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from demo_stack.platform.errors import ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What happens to requests that reach a point.

    Attributes:
        point: Where.
        error_ratio: Share of requests that fail, 0 to 1.
        delay_s: Added to every request, in seconds.
        error: Message of the failure.
        error_type: ``error.type`` of the failure.
        status: HTTP status of the failure.
    """

    point: str
    error_ratio: float = 0.0
    delay_s: float = 0.0
    error: str = "connection reset by peer"
    error_type: str = "ConnectionResetError"
    status: int = 500


class InjectionPoints:
    """The points of one region and what is set for them.

    Args:
        rng: Decides which requests fail.
        sleep: Waits; takes seconds.
    """

    def __init__(
        self, rng: Random, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._rng = rng
        self._sleep = sleep
        self._set: dict[str, Disturbance] = {}

    def disturb(self, key: str, disturbance: Disturbance) -> None:
        """Set a disturbance; ``key`` names it for :meth:`calm`."""
        self._set[key] = disturbance

    def calm(self, key: str) -> None:
        """Remove the disturbance set under ``key``, if there is one."""
        self._set.pop(key, None)

    async def reach(self, point: str) -> None:
        """Pass a point, or suffer what is set for it.

        Raises:
            ServiceError: The request is one of those that fail.
        """
        for disturbance in list(self._set.values()):
            if disturbance.point == point:
                await self._suffer(disturbance)

    async def _suffer(self, disturbance: Disturbance) -> None:
        if disturbance.delay_s:
            await self._sleep(disturbance.delay_s)
        if disturbance.error_ratio and self._rng.random() < disturbance.error_ratio:
            raise ServiceError(
                disturbance.error, status=disturbance.status, error_type=disturbance.error_type
            )
