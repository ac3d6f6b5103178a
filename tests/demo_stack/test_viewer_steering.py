"""Viewers are steered to other regions by whole sessions, and home again, without losing starts."""

from __future__ import annotations

import asyncio

import pytest

from demo_stack.platform.errors import LayoutError
from demo_stack.platform.network import MemoryNetwork
from demo_stack.platform.telemetry import memory_pipe
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.viewers.crowd import Crowd

REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]


class Planet:
    """Three regions in memory and a crowd that is told when to come."""

    async def __aenter__(self):
        self.network = MemoryNetwork()
        self.pipe, self.exported = memory_pipe()
        self.regions = {}
        self.crowd = Crowd(self.network, self.pipe, seed=1)
        self.crowd.populate(REGIONS, rate=8.0)
        for name in REGIONS:
            region = Region(RegionSpec(region=name, sps=1_000.0), self.network, self.pipe)
            await region.open()
            self.regions[name] = region
            self.crowd.route({name: region.addresses})
        self.crowd.open()
        return self

    async def __aexit__(self, *_):
        await self.crowd.close()
        for region in self.regions.values():
            await region.close()

    def starts(self):
        """Return (home region, outcome) to count."""
        found = {}
        for resource in self.pipe.collect():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "stream.starts":
                        for point in metric.data.data_points:
                            key = (point.attributes["cloud.region"], point.attributes["outcome"])
                            found[key] = found.get(key, 0) + point.value
        return found

    async def pass_time(self, starts):
        """Wait until there were so many more starts."""
        target = sum(self.starts().values()) + starts
        for _ in range(120):
            if sum(self.starts().values()) >= target:
                return
            await asyncio.sleep(0.25)
        pytest.fail("too few starts")


def test_evacuation_keeps_starts_within_five_percent_and_return_does_too():
    async def story():
        async with Planet() as planet:
            await planet.pass_time(15)
            planet.crowd.steer("eu-west-1", ["us-east-1", "us-west-2"])
            await asyncio.wait(planet.crowd._sessions)  # sessions under way end where they began
            before = len(_served(planet, "eu-west-1"))
            await planet.pass_time(25)
            during = len(_served(planet, "eu-west-1")) - before
            planet.crowd.steer("eu-west-1", ["eu-west-1"])
            await planet.pass_time(25)
            await asyncio.wait(planet.crowd._sessions)
            back = len(_served(planet, "eu-west-1")) - before - during
            return planet.starts(), during, back

    starts, during, back = asyncio.run(story())
    failed = sum(count for (_, outcome), count in starts.items() if outcome == "failure")
    assert failed <= 0.05 * sum(starts.values())
    assert during == 0
    assert back > 0
    assert starts["eu-west-1", "success"] > 0


def _served(planet, region):
    return [
        span
        for span in planet.exported.get_finished_spans()
        if span.name == "POST /playback"
        and span.resource.attributes["service.name"] == "gateway"
        and span.resource.attributes.get("cloud.region") == region
    ]


@pytest.mark.parametrize(
    ("home", "to"), [("mars", ["us-east-1"]), ("us-east-1", ["mars"]), ("us-east-1", [])]
)
def test_nobody_is_sent_nowhere(home, to):
    crowd = Crowd(MemoryNetwork(), memory_pipe()[0], seed=1)
    crowd.populate(REGIONS, rate=1.0)
    with pytest.raises(LayoutError):
        crowd.steer(home, to)
    with pytest.raises(LayoutError):
        crowd.route({"mars": {"gateway": []}})
