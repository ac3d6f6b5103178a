"""A region assembled from its services, on any network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random

from starlette.types import ASGIApp

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.chores import Chores
from demo_stack.chassis.client import ServiceClient
from demo_stack.chassis.context import ServiceContext, Sleep
from demo_stack.chassis.disturbance import InjectionPoints
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.memory import measure_memory
from demo_stack.chassis.network import Network
from demo_stack.chassis.telemetry import TelemetryPipe
from demo_stack.regions.fleet import Fleet
from demo_stack.regions.spec import RegionSpec
from demo_stack.regions.stores import RegionStores, region_stores
from demo_stack.registry.app import registry_app
from demo_stack.registry.client import RegistryClient
from demo_stack.registry.leases import LeaseRegistry
from demo_stack.services.auth import app as auth
from demo_stack.services.billing import app as billing
from demo_stack.services.catalogue import app as catalogue
from demo_stack.services.edge import app as edge
from demo_stack.services.gateway import app as gateway
from demo_stack.services.licences import app as licences
from demo_stack.services.playback import app as playback
from demo_stack.services.recommendations import app as recommendations
from demo_stack.world.layout import REGIONAL_SERVICES, Service

EVICTION_S = 2.0


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
        self.stores = region_stores(spec, self._random)
        self._builders = _builders(self.stores)
        self.leases = LeaseRegistry(_monotonic_ms, rng=self._random("eviction"))
        self._balancer = Balancer(self._random("balancer"))
        self._network = network
        self._pipe = pipe
        self._sleep = sleep
        self._transport = network.transport()
        self._evicting: asyncio.Task[None] | None = None
        self._registry_url = ""

    @property
    def addresses(self) -> dict[str, list[str]]:
        """Base URLs of the running instances by service."""
        return self.fleet.addresses()

    @property
    def registry_url(self) -> str:
        """Where Eureka's clients find the registry."""
        return f"{self._registry_url}/eureka/"

    async def open(self) -> None:
        """Start the registry, then every service."""
        self.stores.log.open()
        self._registry_url = await self._network.listen(registry_app(self.leases))
        self.registry = RegistryClient(self._registry_url, self._transport, self._balancer)
        self.fleet = Fleet(self.spec.region, self._network, self.registry, self._build)
        for service in REGIONAL_SERVICES:
            for _ in range(self.spec.instances.get(service.value, 1)):
                await self.fleet.start(service.value)
        self.registry.open()
        self._evicting = asyncio.create_task(self._evict())

    async def close(self) -> None:
        """Stop every service, then the registry."""
        if self._evicting is not None:
            self._evicting.cancel()
        await self.registry.close()
        await self.fleet.close()
        await self.stores.close()
        await self._network.hang_up(self._registry_url)
        await self._transport.aclose()

    def _build(self, identity: Identity) -> tuple[ASGIApp, Chores]:
        telemetry = self._pipe.telemetry(identity)
        measure_memory(telemetry.meter)
        client = ServiceClient(telemetry, self._transport, self._balancer, self.points)
        context = ServiceContext(
            identity=identity,
            telemetry=telemetry,
            client=client,
            points=self.points,
            chores=Chores(),
            load=self.stores.load,
            requests=self.stores.requests,
            rng=self._random(identity.instance),
            seed=self.spec.seed,
            sps=self.spec.sps,
            spectator=self.spec.spectator,
            sleep=self._sleep,
        )
        context.chores.at_end(lambda: self._pipe.retire(identity))
        context.chores.at_end(lambda: telemetry.log.info("stopped"))
        telemetry.log.info("started version {version}", version=identity.version)
        return self._builders[Service(identity.service)](context), context.chores

    async def _evict(self) -> None:
        while True:
            await asyncio.sleep(EVICTION_S)
            self.leases.evict()

    def _random(self, purpose: str) -> Random:
        return Random(f"{self.spec.seed}/{self.spec.region}/{purpose}")


def _builders(stores: RegionStores) -> Mapping[Service, Callable[[ServiceContext], ASGIApp]]:
    """Return what makes the application of an instance of each service, on the service's stores."""
    return {
        Service.GATEWAY: lambda context: gateway.build(context, stores.gateway),
        Service.AUTH: lambda context: auth.build(context, stores.auth),
        Service.CATALOGUE: lambda context: catalogue.build(context, stores.catalogue),
        Service.RECOMMENDATIONS: lambda context: recommendations.build(
            context, stores.recommendations
        ),
        Service.PLAYBACK: lambda context: playback.build(context, stores.playback),
        Service.LICENCES: licences.build,
        Service.BILLING: lambda context: billing.build(context, stores.billing),
        Service.EDGE: lambda context: edge.build(context, stores.edge),
    }


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
