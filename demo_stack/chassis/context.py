"""What a service is given when it is built."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from demo_stack.chassis.chores import Chores
from demo_stack.chassis.client import ServiceClient
from demo_stack.chassis.disturbance import InjectionPoints
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.load import LoadBook
from demo_stack.chassis.telemetry import Telemetry

Sleep = Callable[[float], Awaitable[None]]

SPREAD = 0.35
"""Sigma of the lognormal that service times are drawn from: a p99 of 2.3 times the median."""


class RequestWatchers(Protocol):
    """Who wants to see requests as they are answered."""

    @property
    def watched(self) -> bool:
        """Whether there is anybody to tell."""
        ...

    def publish(self, event: Mapping[str, Any]) -> None:
        """Offer what is known of a request to all of them; never waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """The surroundings of one instance.

    Attributes:
        identity: Who it is.
        telemetry: What it reports with.
        client: Calls its neighbours.
        points: Where failures can be injected.
        chores: What it does besides answering requests.
        load: Where it writes down what it serves.
        requests: Whoever watches requests go by.
        rng: Its own randomness.
        seed: The platform's seed, the same everywhere.
        sps: Stream starts a second that the region is built for.
        spectator: Where its spectator lines go, such as ``udp://127.0.0.1:1234`` or ``none``.
        sleep: Waits; takes seconds.
    """

    identity: Identity
    telemetry: Telemetry
    client: ServiceClient
    points: InjectionPoints
    chores: Chores
    load: LoadBook
    requests: RequestWatchers
    rng: Random
    seed: int = 1
    sps: float = 5.0
    spectator: str = "none"
    sleep: Sleep = asyncio.sleep

    async def reach(self, point: str, **facts: str) -> None:
        """Pass an injection point as this instance.

        Raises:
            ServiceError: The request is one of those that fail.
        """
        who = self.identity
        own = {"instance": who.instance, "zone": who.zone, "version": who.version}
        await self.points.reach(point, {**own, **facts})

    async def work(self, median_s: float) -> None:
        """Take as long as work with this median time takes."""
        await self.sleep(median_s * math.exp(self.rng.gauss(0.0, SPREAD)))
