"""What a service is given when it is built."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from demo_stack.platform.client import ServiceClient
from demo_stack.platform.disturbance import InjectionPoints
from demo_stack.platform.identity import Identity
from demo_stack.platform.telemetry import Telemetry

Sleep = Callable[[float], Awaitable[None]]

SPREAD = 0.35
"""Sigma of the lognormal that service times are drawn from: a p99 of 2.3 times the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """The surroundings of one instance.

    Attributes:
        identity: Who it is.
        telemetry: What it reports with.
        client: Calls its neighbours.
        points: Where failures can be injected.
        rng: Its own randomness.
        seed: The platform's seed, the same everywhere.
        spectator: Where its spectator lines go, such as ``udp://127.0.0.1:1234`` or ``none``.
        sleep: Waits; takes seconds.
    """

    identity: Identity
    telemetry: Telemetry
    client: ServiceClient
    points: InjectionPoints
    rng: Random
    seed: int = 1
    spectator: str = "none"
    sleep: Sleep = asyncio.sleep

    async def work(self, median_s: float) -> None:
        """Take as long as work with this median time takes."""
        await self.sleep(median_s * math.exp(self.rng.gauss(0.0, SPREAD)))
