"""Viewers are steered to other regions by whole sessions, and home again, without losing starts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Self

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import readings, steady
from demo_stack.in_memory.readings import origin
from demo_stack.in_memory.turns import no_wait
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.viewers.crowd import Crowd

REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]


class Planet:
    """Three regions in memory, and viewers who come when they are told to."""

    async def __aenter__(self) -> Self:
        self.network = MemoryNetwork()
        self.pipe, self.exported = memory_pipe()
        self.regions = []
        self.crowd = Crowd(self.network, self.pipe, seed=1, sleep=no_wait)
        self.crowd.populate(REGIONS, rate=1.0)
        for name in REGIONS:
            spec = RegionSpec(region=name, sps=1_000.0)
            region = Region(spec, self.network, self.pipe, sleep=no_wait)
            await region.open()
            self.regions.append(region)
            self.crowd.route({name: region.addresses})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.crowd.close()
        for region in self.regions:
            await region.close()

    def begin(self, each: int) -> None:
        """Let so many viewers of each region begin a session."""
        for home in REGIONS * each:
            self.crowd.begin(home)

    def starts(self) -> Counter[str]:
        """Return the number of starts by outcome."""
        return readings.starts([self.pipe])


def test_evacuation_and_return_lose_no_start_and_nobody_is_served_where_nobody_should_be() -> None:
    """Sessions in flight must survive steering."""

    async def story() -> tuple[Counter[Any], list[int]]:
        async with Planet() as planet:
            served = []
            planet.begin(3)
            await _under_way()
            planet.crowd.steer("eu-west-1", ["us-east-1", "us-west-2"])
            await planet.crowd.settled()
            served.append(len(_served(planet, "eu-west-1")))
            planet.begin(4)
            await _under_way()
            planet.crowd.steer("eu-west-1", ["eu-west-1"])
            await planet.crowd.settled()
            served.append(len(_served(planet, "eu-west-1")))
            planet.begin(3)
            await planet.crowd.settled()
            served.append(len(_served(planet, "eu-west-1")))
            return planet.starts(), served

    starts, served = steady.run(story())
    assert starts == {"success": 30}
    assert served == [3, 3, 6]


async def _under_way() -> None:
    """Give sessions the turns to begin before the steering changes."""
    for _ in range(20):
        await asyncio.sleep(0)


def _served(planet: Planet, region: str) -> list[ReadableSpan]:
    return [
        span
        for span in planet.exported.get_finished_spans()
        if span.name == "POST /playback"
        and origin(span)["service.name"] == "gateway"
        and origin(span).get("cloud.region") == region
    ]


@pytest.mark.parametrize(
    ("home", "to"), [("mars", ["us-east-1"]), ("us-east-1", ["mars"]), ("us-east-1", [])]
)
def test_nobody_is_sent_nowhere(home: str, to: list[str]) -> None:
    """Steering to nobody must be refused, or viewers are lost."""
    crowd = Crowd(MemoryNetwork(), memory_pipe()[0], seed=1)
    crowd.populate(REGIONS, rate=1.0)
    with pytest.raises(LayoutError):
        crowd.steer(home, to)
    with pytest.raises(LayoutError):
        crowd.route({"mars": {"gateway": []}})
