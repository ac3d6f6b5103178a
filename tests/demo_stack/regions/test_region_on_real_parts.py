"""A region on real memcached and a real Kafka broker: it says so, and the same faults work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory.readings import points, tags
from demo_stack.in_memory.turns import no_wait, until
from demo_stack.regions.control import RegionControl
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.supervisor.processes.parts import Parts
from demo_stack.supervisor.processes.sidecar import has_broker, has_memcached
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.crowd import Crowd
from demo_stack.world.layout import Device

NAME = "us-east-1"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.skipif(
        not (has_memcached() and has_broker()), reason="memcached or the broker is not installed"
    ),
]


class Place:
    """The region, its viewers and its parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        network = MemoryNetwork()
        self.pipe, self.exported = memory_pipe()
        spec = RegionSpec(region=NAME, sps=1_000.0, caches=parts.caches(NAME), broker=parts.broker)
        self.region = Region(spec, network, self.pipe, sleep=no_wait)
        self.crowd = Crowd(network, self.pipe, seed=1, sleep=no_wait)

    async def visit(self, viewer: str) -> None:
        who = Visitor(viewer=viewer, device=Device.TV, region=NAME, session="s")
        self.crowd.begin(NAME, who)
        await self.crowd.settled()

    def values(self, metric: str, **wanted: str) -> list[float]:
        """Return the values of the points of a metric that have these attributes."""
        found = points([self.pipe], metric)
        return [value for attributes, value in found if wanted.items() <= attributes.items()]

    def systems(self, attribute: str) -> set[object]:
        spans = self.exported.get_finished_spans()
        return {tags(span)[attribute] for span in spans if attribute in tags(span)}

    def lag(self) -> float:
        group = {"messaging.consumer.group.name": "recommendations"}
        return sum(self.values("messaging.consumer.lag", **group))

    def consumed(self) -> float:
        group = {"messaging.consumer.group.name": "recommendations"}
        return sum(self.values("messaging.client.consumed.messages", **group))


async def _story(logs: Path) -> None:
    parts = Parts([NAME], logs, restart_after_s=0.05)
    await parts.start()
    place = Place(parts)
    await place.region.open()
    try:
        place.crowd.populate([NAME], rate=1.0)
        place.crowd.route({NAME: place.region.addresses})
        await _learning_works(place)
        await _faults_work(place)
        await _dead_parts_cost_no_start(place)
    finally:
        await place.crowd.close()
        await place.region.close()
        await parts.stop()


async def _learning_works(place: Place) -> None:
    log: Any = place.region.stores.log
    await until(lambda: log._connected)
    for number in range(4):
        await place.visit(f"v{number}")
    assert place.systems("db.system.name") == {"memcached", "cassandra", "sqlite"}
    assert place.systems("messaging.system") == {"kafka"}
    await until(lambda: place.consumed() >= 4)
    await until(lambda: place.lag() == 0)
    causes = [
        link.context.trace_id
        for span in place.exported.get_finished_spans()
        if span.name == "process views"
        for link in span.links
    ]
    sent = {
        s.context.trace_id for s in place.exported.get_finished_spans() if s.name == "send views"
    }
    assert sent <= set(causes)  # the trace went through the broker


async def _faults_work(place: Place) -> None:
    control = RegionControl(place.region, place.pipe)
    await control.poison(3)
    before = place.consumed()
    await until(lambda: place.consumed() >= before + 3)  # skipped, not stuck
    slow = Disturbance(point="recommendations.learn", error_ratio=1.0)
    place.region.points.disturb("queue-lag", slow)
    for number in range(4, 8):
        await place.visit(f"v{number}")
    await until(lambda: place.lag() >= 4)
    place.region.points.calm("queue-lag")
    await until(lambda: place.lag() == 0)


async def _dead_parts_cost_no_start(place: Place) -> None:
    for name in ("broker", f"cache-{NAME}a", f"cache-{NAME}b", f"cache-{NAME}c"):
        await place.parts.kill(name)
    await place.visit("v9")
    assert place.values("stream.starts", outcome="failure") == []
    assert sum(place.values("stream.starts", outcome="success")) == 9


def test_a_region_learns_suffers_and_survives_as_on_embedded_parts(tmp_path: Path) -> None:
    """On real parts the same faults must do the same."""
    asyncio.run(_story(tmp_path))
