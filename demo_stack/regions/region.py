"""A region assembled from its services, on any network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from starlette.types import ASGIApp

from demo_stack.layout import REGIONAL_SERVICES, ZONES, Service
from demo_stack.platform.client import ServiceClient
from demo_stack.platform.context import ServiceContext, Sleep
from demo_stack.platform.directory import FixedDirectory
from demo_stack.platform.disturbance import InjectionPoints
from demo_stack.platform.identity import Identity
from demo_stack.platform.network import Network
from demo_stack.platform.telemetry import TelemetryPipe
from demo_stack.regions.spec import RegionSpec
from demo_stack.services.auth import app as auth
from demo_stack.services.catalogue import app as catalogue
from demo_stack.services.edge import app as edge
from demo_stack.services.gateway import app as gateway
from demo_stack.services.playback import app as playback
from demo_stack.services.recommendations import app as recommendations

BUILDERS: Mapping[Service, Callable[[ServiceContext], ASGIApp]] = {
    Service.GATEWAY: gateway.build,
    Service.AUTH: auth.build,
    Service.CATALOGUE: catalogue.build,
    Service.RECOMMENDATIONS: recommendations.build,
    Service.PLAYBACK: playback.build,
    Service.EDGE: edge.build,
}


class Region:
    """The services of one region, up and able to find each other.

    Args:
        spec: What to start.
        network: Where to listen and call.
        pipe: Where telemetry goes.
        sleep: Waits; takes seconds.
    """

    def __init__(
        self,
        spec: RegionSpec,
        network: Network,
        pipe: TelemetryPipe,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.spec = spec
        self.points = InjectionPoints(self._random("points"), sleep)
        self._sleep = sleep
        self.addresses: dict[str, list[str]] = {}
        self._network = network
        self._pipe = pipe
        self._transport = network.transport()
        self._directory = FixedDirectory(self._random("directory"))

    async def open(self) -> None:
        """Start every service."""
        for service in REGIONAL_SERVICES:
            app = BUILDERS[service](self._context(service, number=1))
            self.addresses[service.value] = [await self._network.listen(app)]
            self._directory.set(service, self.addresses[service.value])

    async def close(self) -> None:
        """Stop every service."""
        for urls in self.addresses.values():
            for url in urls:
                await self._network.hang_up(url)
        await self._transport.aclose()

    def _context(self, service: Service, number: int) -> ServiceContext:
        identity = Identity(
            service=service,
            region=self.spec.region,
            zone=self.spec.region + ZONES[(number - 1) % len(ZONES)],
            number=number,
        )
        telemetry = self._pipe.telemetry(identity)
        return ServiceContext(
            identity=identity,
            telemetry=telemetry,
            client=ServiceClient(telemetry, self._transport, self._directory),
            points=self.points,
            rng=self._random(identity.instance),
            seed=self.spec.seed,
            spectator=self.spec.spectator,
            sleep=self._sleep,
        )

    def _random(self, purpose: str) -> Random:
        return Random(f"{self.spec.seed}/{self.spec.region}/{purpose}")
