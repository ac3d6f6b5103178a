"""A platform in memory: one region or several, without sockets and without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import TelemetryPipe, memory_pipe
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.services.auth.grants import challenge_of
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.pulse import Pulse
from demo_stack.viewers.session import Session, SessionRoom
from demo_stack.world.layout import Device, Service


async def no_wait(_seconds: float) -> None:
    """Give others a turn and pretend that the time has passed."""
    await asyncio.sleep(0)


@dataclass
class World:
    """A region in memory with one visitor at its door."""

    region: Region
    network: MemoryNetwork
    pipe: TelemetryPipe
    exported: InMemorySpanExporter
    room: SessionRoom
    client: ServiceClient

    async def visit(self, device: Device = Device.TV, viewer: str = "v0001") -> None:
        """Run one session to its end."""
        visitor = Visitor(
            viewer=viewer, device=device, region=self.region.spec.region, session="s1"
        )
        await Session(visitor, self.room).run()

    async def token(self, viewer: str = "v1") -> str:
        """Sign a viewer in through the gateway; return the access token."""
        verifier = "verifier-" * 6
        request = {
            "viewer": viewer,
            "device": "tv",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        code = (await self.post("/authorize", request))["code"]
        proof = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return str((await self.post("/token", proof))["access_token"])

    async def post(self, route: str, body: object) -> dict[str, object]:
        call = Call(service=Service.GATEWAY, method="POST", route=route, json=body)
        answer: dict[str, object] = await self.client.json(call)
        return answer

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exported.get_finished_spans()

    def points(self, metric: str) -> list[tuple[dict[str, object], float]]:
        """Return (resource and point attributes, value or count) of every point of a metric."""
        return [
            (
                {**resource.resource.attributes, **(point.attributes or {})},
                point.value if hasattr(point, "value") else point.count,
            )
            for resource in self.pipe.collect()
            for scope in resource.scope_metrics
            for one in scope.metrics
            if one.name == metric
            for point in one.data.data_points
        ]

    def starts(self) -> dict[str, float]:
        """Return stream starts by outcome."""
        found: dict[str, float] = {}
        for attributes, value in self.points("stream.starts"):
            outcome = str(attributes["outcome"])
            found[outcome] = found.get(outcome, 0) + value
        return found


OpenWorld = Callable[[], AbstractAsyncContextManager[World]]


@asynccontextmanager
async def _opened() -> AsyncIterator[World]:
    network = MemoryNetwork()
    pipe, exported = memory_pipe()
    spec = RegionSpec(region="us-east-1", sps=1_000.0)
    region = Region(spec, network, pipe, sleep=no_wait)
    await region.open()
    telemetry = pipe.telemetry(Identity(service=Service.VIEWERS))
    directory = Balancer(Random(1))
    for service, urls in region.addresses.items():
        directory.set(service, urls)
    client = ServiceClient(telemetry, network.transport(), directory)
    room = SessionRoom(
        client=client,
        tracer=telemetry.tracer,
        pulse=Pulse(telemetry),
        rng=Random(7),
        sleep=no_wait,
        reporting=1.0,
    )
    yield World(region, network, pipe, exported, room, client)
    await region.close()


@pytest.fixture
def world() -> OpenWorld:
    """Return what opens a region in memory."""
    return _opened


@pytest.fixture(scope="session")
def shared_world() -> OpenWorld:
    """Return the same, for fixtures that live longer than a test."""
    return _opened
