"""One region in this process, with one visitor at its door."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.oauth import challenge_of
from demo_stack.chassis.telemetry import TelemetryPipe, memory_pipe
from demo_stack.in_memory import readings
from demo_stack.in_memory.turns import no_wait
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.pulse import Pulse
from demo_stack.viewers.session import Session, SessionRoom
from demo_stack.world.layout import Device, Service

PLENTY_SPS = 1_000.0
"""Regions are built for so much that a visit never meets a limit."""

_VERIFIER = "verifier-" * 6


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """A region in memory.

    Attributes:
        region: The region, open.
        network: Where its instances listen.
        pipe: What has been measured.
        exported: Spans that have ended.
        logged: Lines that were written.
        room: What a session needs.
        client: Calls whatever runs in the region.
    """

    region: Region
    network: MemoryNetwork
    pipe: TelemetryPipe
    exported: InMemorySpanExporter
    logged: InMemoryLogRecordExporter
    room: SessionRoom
    client: ServiceClient

    async def visit(self, device: Device = Device.TV, viewer: str = "v0001") -> None:
        """Run one session to its end."""
        home = self.region.spec.region
        visitor = Visitor(viewer=viewer, device=device, region=home, session="s1")
        await Session(visitor, self.room).run()

    async def token(self, viewer: str = "v1") -> str:
        """Sign a viewer in through the gateway; return the access token."""
        request = {
            "viewer": viewer,
            "device": "tv",
            "code_challenge": challenge_of(_VERIFIER),
            "code_challenge_method": "S256",
        }
        code = (await self.post("/authorize", request))["code"]
        proof = {"grant_type": "authorization_code", "code": code, "code_verifier": _VERIFIER}
        return str((await self.post("/token", proof))["access_token"])

    async def post(self, route: str, body: object) -> dict[str, Any]:
        """Return the gateway's answer to a ``POST``.

        Raises:
            DependencyError: It is no success.
        """
        call = Call(service=Service.GATEWAY, method="POST", route=route, json=body)
        answer: dict[str, Any] = await self.client.json(call)
        return answer

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Return the spans that have ended."""
        return self.exported.get_finished_spans()

    def lines(self) -> tuple[ReadableLogRecord, ...]:
        """Return the lines that were written."""
        return self.logged.get_finished_logs()

    def points(self, metric: str) -> list[readings.Point]:
        """Return (resource and point attributes, value or count) of every point of a metric."""
        return readings.points([self.pipe], metric)

    def starts(self) -> Counter[str]:
        """Return stream starts by outcome."""
        return readings.starts([self.pipe])


@asynccontextmanager
async def open_region(media: str = "") -> AsyncIterator[MemoryRegion]:
    """Open a region in memory, with the encoded titles in a directory if one is named."""
    network = MemoryNetwork()
    logged = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the SDK's
    pipe, exported = memory_pipe(SimpleLogRecordProcessor(logged))
    spec = RegionSpec(region="us-east-1", sps=PLENTY_SPS, media=media)
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
    try:
        yield MemoryRegion(region, network, pipe, exported, logged, room, client)
    finally:
        await region.close()
