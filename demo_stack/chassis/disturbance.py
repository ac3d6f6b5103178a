"""Places in the code where a failure can be injected.

A service says ``await context.reach("playback.start")`` where it depends on something that may
fail. While a disturbance is set for that point, some of the requests that reach it are delayed or
fail, in the words that the real failure would use: nothing that leaves the service tells a
disturbance from the real thing.

Besides the points that services name, every request reaches ``<service>.request`` on the server
side, and every call reaches ``call.<service>`` on the client side.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from opentelemetry import baggage

from demo_stack.chassis.errors import ServiceError

FIT_BAGGAGE = "fit.scope"
"""Baggage that marks the requests of a failure-injection test (FIT); it travels with the trace."""

MAX_LEAKED = 200_000
"""Kilobytes that a leak may take at most: this is somebody's laptop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What happens to requests that reach a point.

    Attributes:
        point: Where.
        where: Facts that a request must match, such as ``instance``, ``zone``, ``device``,
            ``configuration`` (the service's last one), ``fit`` (the test's scope in baggage);
            empty for every request.
        error_ratio: Share of requests that fail, 0 to 1.
        delay_s: Added to every request, in seconds.
        ramp_s: Both grow from nothing to their full value over this time, in seconds.
        leak_kb: Kilobytes that every request leaves behind in memory.
        error: Message of the failure.
        error_type: ``error.type`` of the failure.
        status: HTTP status of the failure.
    """

    point: str
    where: Mapping[str, str] = field(default_factory=dict)
    error_ratio: float = 0.0
    delay_s: float = 0.0
    ramp_s: float = 0.0
    leak_kb: int = 0
    error: str = "connection reset by peer"
    error_type: str = "ConnectionResetError"
    status: int = 500

    def matches(self, point: str, facts: Mapping[str, str]) -> bool:
        """Return whether a request at ``point`` is meant."""
        return self.point == point and all(
            facts.get(name) == value for name, value in self.where.items()
        )


class InjectionPoints:
    """The points of one region and what is set for them.

    Args:
        rng: Decides which requests fail.
        sleep: Waits; takes seconds.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(
        self,
        rng: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rng = rng
        self._sleep = sleep
        self._now_s = now_s
        self._set: dict[str, tuple[Disturbance, float]] = {}
        self._leaked: list[bytes] = []
        self.configurations: dict[str, str] = {}
        """Service to the revision of its configuration, where one was pushed."""

    def disturb(self, key: str, disturbance: Disturbance) -> None:
        """Set a disturbance; ``key`` names it for :meth:`calm`."""
        self._set[key] = (disturbance, self._now_s())

    def calm(self, key: str) -> None:
        """Remove the disturbance set under ``key``, if there is one, and free what leaked."""
        self._set.pop(key, None)
        self._leaked.clear()

    def halt_all(self) -> None:
        """Remove every disturbance: the big red button."""
        self._set.clear()
        self._leaked.clear()

    async def reach(self, point: str, facts: Mapping[str, str] | None = None) -> None:
        """Pass a point, or suffer what is set for it.

        Raises:
            ServiceError: The request is one of those that fail.
        """
        if not self._set:
            return
        service = point.partition(".")[0]
        own = {"configuration": self.configurations.get(service, "")}
        known = {"fit": str(baggage.get_baggage(FIT_BAGGAGE) or ""), **own, **(facts or {})}
        for disturbance, since_s in list(self._set.values()):
            if disturbance.matches(point, known):
                await self._suffer(disturbance, self._strength(disturbance, since_s))

    def _strength(self, disturbance: Disturbance, since_s: float) -> float:
        if not disturbance.ramp_s:
            return 1.0
        return min(1.0, (self._now_s() - since_s) / disturbance.ramp_s)

    async def _suffer(self, disturbance: Disturbance, strength: float) -> None:
        if disturbance.leak_kb and len(self._leaked) * disturbance.leak_kb < MAX_LEAKED:
            self._leaked.append(bytes(disturbance.leak_kb * 1_024))
        if disturbance.delay_s:
            await self._sleep(disturbance.delay_s * strength)
        if disturbance.error_ratio and self._rng.random() < disturbance.error_ratio * strength:
            raise ServiceError(
                disturbance.error, status=disturbance.status, error_type=disturbance.error_type
            )
