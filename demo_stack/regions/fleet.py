"""The instances of a region: started, stopped in order, or killed without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp

from demo_stack.chassis.chores import Chores
from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.network import Network
from demo_stack.registry.client import RegistryClient
from demo_stack.registry.leases import Instance
from demo_stack.world.layout import ZONES

Build = Callable[[Identity], tuple[ASGIApp, Chores]]


class Fleet:
    """Runs instances and keeps them registered.

    Args:
        region: Where.
        network: Where they listen.
        registry: Where they register.
        build: Makes the application of an instance, and its chores.
    """

    def __init__(
        self, region: str, network: Network, registry: RegistryClient, build: Build
    ) -> None:
        self._region = region
        self._network = network
        self._registry = registry
        self._build = build
        self._started: Counter[str] = Counter()
        self._running: dict[str, Instance] = {}
        self._chores: dict[str, Chores] = {}

    def running(self, service: str | None = None) -> list[Instance]:
        """Return the instances of a service, or all."""
        return [one for one in self._running.values() if service in {None, one.service}]

    def addresses(self) -> dict[str, list[str]]:
        """Return base URLs by service."""
        found: dict[str, list[str]] = {}
        for instance in self._running.values():
            found.setdefault(instance.service, []).append(instance.url)
        return found

    async def start(self, service: str, version: str = "1.0.0") -> Instance:
        """Start one more instance of ``service``."""
        self._started[service] += 1
        number = self._started[service]
        identity = Identity(
            service=service,
            region=self._region,
            zone=self._region + ZONES[(number - 1) % len(ZONES)],
            number=number,
            version=version,
        )
        app, chores = self._build(identity)
        url = await self._network.listen(app)
        instance = Instance(service=service, id=identity.instance, url=url, zone=identity.zone)
        self._running[instance.id] = instance
        self._chores[instance.id] = chores
        await self._registry.register(instance)
        await self._registry.refresh()
        return instance

    async def stop(self, instance_id: str) -> None:
        """End an instance in order: first out of the registry, then off the network."""
        instance = self._take(instance_id)
        await self._registry.cancel(instance_id)
        await self._registry.refresh()
        await self._network.hang_up(instance.url)

    async def kill(self, instance_id: str) -> None:
        """End an instance as a crash does: the registry hears nothing."""
        instance = self._take(instance_id)
        self._registry.abandon(instance_id)
        await self._network.hang_up(instance.url)

    async def close(self) -> None:
        """Take every instance off the network."""
        for instance_id in list(self._running):
            await self._network.hang_up(self._take(instance_id).url)

    def _take(self, instance_id: str) -> Instance:
        if instance_id not in self._running:
            raise LayoutError(f"no instance {instance_id!r}; there are: {', '.join(self._running)}")
        self._chores.pop(instance_id).close()
        return self._running.pop(instance_id)
