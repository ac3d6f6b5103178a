"""The other two languages of instrumentation say what the schema says, and nothing else."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import demo_stack
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.turns import no_wait
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.resilience.events import Event
from demo_stack.viewers.crowd import Crowd
from demo_stack.world.layout import Region as Name
from demo_stack.world.layout import Service

SCHEMA = yaml.safe_load(
    (Path(demo_stack.__file__).parent / "ops" / "telemetry-schema.yaml").read_text()
)
SAMPLE_LABELS = {"le"}


def _received(receiver: socket.socket) -> list[str]:
    lines = []
    while True:
        try:
            lines += receiver.recv(65_536).decode().splitlines()
        except BlockingIOError:
            return lines


@pytest.fixture(scope="module")
def told() -> tuple[list[str], str]:
    """What a region says by spectator and what its catalogue shows, after sessions good and bad."""

    async def story(receiver: socket.socket) -> tuple[list[str], str]:
        network, name = MemoryNetwork(), Name.US_EAST_1.value
        address = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        spec = RegionSpec(region=name, sps=1_000.0, spectator=address)
        region = Region(spec, network, memory_pipe()[0], sleep=no_wait)
        await region.open()
        crowd = Crowd(network, memory_pipe()[0], seed=1, sleep=no_wait)
        crowd.populate([name], rate=1.0)
        crowd.route({name: dict(region.addresses)})
        lines = []
        for number in range(4):
            if number == 3:
                fault = Disturbance(point="recommendations.rank", error_ratio=1.0)
                region.points.disturb("x", fault)
            crowd.begin(name)
            await crowd.settled()
            lines += _received(receiver)
        request = httpx2.Request("GET", region.addresses[Service.CATALOGUE][0] + "/metrics")
        response = await network.transport().handle_async_request(request)
        text = (await response.aread()).decode()
        await crowd.close()
        await region.close()
        return lines + _received(receiver), text

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        return steady.run(story(receiver))


def test_what_leaves_by_spectator_is_in_the_schema(told: tuple[list[str], str]) -> None:
    """A metric that the schema does not know is one that nobody documented."""
    common = {*SCHEMA["resource"]["required"], *SCHEMA["resource"]["regional"]}
    seen = set()
    for line in told[0]:
        kind, identity, _value = line.split(":")
        name, *tags = identity.split(",")
        rule = SCHEMA["spectator"][name]
        assert kind == rule["type"], line
        assert {tag.split("=")[0] for tag in tags} == common | set(rule["tags"]), line
        seen.add(name)
    commands = {"isCircuitBreakerOpen", "errorPercentage", "countSuccess", "countFailure"}
    edges = {"edge.requests", "edge.bytes", "edge.latency"}
    assert {*commands, *edges, "countFallbackSuccess"} <= seen


def test_every_event_of_a_command_has_its_name_in_the_schema() -> None:
    """Hystrix' counters must be found under the names that its users know."""
    named = {name for name in SCHEMA["spectator"] if name.startswith("count")}
    assert named == {f"count{event.value}" for event in Event}


def test_what_is_scraped_is_in_the_schema_and_all_of_it(told: tuple[list[str], str]) -> None:
    """The scraped page and the schema must not drift apart."""
    families = {
        family.name: family
        for family in text_string_to_metric_families(told[1])
        if not family.name.endswith("_created")
    }
    assert set(families) == set(SCHEMA["prometheus"])
    for name, family in families.items():
        rule = SCHEMA["prometheus"][name]
        assert family.type == rule["type"]
        labels = {label for sample in family.samples for label in sample.labels} - SAMPLE_LABELS
        assert labels == set(rule["labels"]), name
