"""The whole platform in this process, without sockets or waiting: for tests of what is done to it.

It is a :class:`demo_stack.supervisor.deployment.running.RunningPlatform`: every fault can be
injected and taken back in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
from starlette.types import ASGIApp

from demo_stack.chassis.context import Sleep
from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import TelemetryPipe, memory_pipe
from demo_stack.in_memory.region import PLENTY_SPS
from demo_stack.in_memory.turns import no_wait
from demo_stack.regions.control import region_control
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.supervisor.processes.stand_ins import StandIns
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.crowd import Crowd
from demo_stack.viewers.process import viewers_control
from demo_stack.world.layout import Device


class PausableNetwork(MemoryNetwork):
    """Memory where addresses can be made to stop answering while they are still there."""

    def __init__(self) -> None:
        super().__init__()
        self.paused: set[str] = set()

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Return a transport on which paused addresses time out at once."""
        return _Pausable(super().transport(), self.paused)


class _Pausable(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport, paused: set[str]) -> None:
        self._inner = inner
        self._paused = paused

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if f"http://{request.url.host}" in self._paused:
            raise httpx2.ReadTimeout("no answer in time", request=request)
        return await self._inner.handle_async_request(request)


class MemoryPlatform:
    """Regions and their viewers.

    Args:
        regions: Names of the regions.
        seed: Makes it repeatable.
        sleep: How services and viewers wait; takes seconds.
    """

    def __init__(self, regions: Sequence[str], seed: int = 1, sleep: Sleep = no_wait) -> None:
        self._names = list(regions)
        self._seed = seed
        self._sleep = sleep
        self.network = PausableNetwork()
        self.regions: dict[str, Region] = {}
        self.pipes: dict[str, TelemetryPipe] = {}
        self.viewers_pipe, self.viewers_spans = memory_pipe()
        self.spans = {name: memory_pipe()[1] for name in self._names}
        self.crowd = Crowd(self.network, self.viewers_pipe, seed, sleep=sleep)
        self._controls: dict[str, ASGIApp] = {}
        self._stand_ins = StandIns(self._names, self.tell_region, lambda: self.others(""))

    async def start(self) -> None:
        """Open every region; nobody comes unless told to."""
        self.crowd.populate(self._names, rate=1.0)
        for name in self._names:
            await self._open(name)

    async def stop(self) -> None:
        """Close everything."""
        await self.crowd.close()
        for region in self.regions.values():
            await region.close()

    async def visit(self, region: str, device: Device = Device.TV, viewer: str = "v0001") -> None:
        """Let a viewer of a region go through a session, and wait for its end."""
        visitor = Visitor(viewer=viewer, device=device, region=region, session="s1")
        self.crowd.begin(region, visitor)
        await self.crowd.settled()

    def healthy(self) -> bool:
        """Return whether every region is up."""
        return len(self.regions) == len(self._names)

    def others(self, region: str) -> list[str]:
        """Return the regions that are up, without ``region``."""
        return [name for name in self.regions if name != region]

    def status(self) -> dict[str, Any]:
        """Return who is up, as the real platform does."""
        states = {name: {"state": "up" if name in self.regions else "dead"} for name in self._names}
        return {"seed": self._seed, "sps": PLENTY_SPS, "regions": states}

    async def kill_region(self, region: str) -> None:
        """Make everything of a region unreachable."""
        await self._known(region).close()
        del self.regions[region]

    async def start_region(self, region: str) -> None:
        """Open a region again unless it is up; its viewers follow."""
        if region not in self.regions:
            await self._open(region)
            await self.steer(region, [region])

    async def kill_part(self, name: str, *, stay: bool = False) -> None:
        """Take away what stands in for a cache node or the broker."""
        await self._stand_ins.kill(name, stay=stay)

    async def start_part(self, name: str) -> None:
        """Bring it back."""
        await self._stand_ins.revive(name)

    async def pause_region(self, region: str) -> None:
        """Let a region stop answering."""
        self.network.paused.update(self._urls(region))

    async def resume_region(self, region: str) -> None:
        """Let a region that was paused go on."""
        self.network.paused.difference_update(self._urls(region))

    async def steer(self, region: str, to: Sequence[str], ttl_s: float = 0.0) -> None:
        """Let the viewers of ``region`` be served by other regions."""
        await self.refresh_addresses(to)
        await self.tell_viewers("/steer", {"region": region, "to": list(to), "ttl_s": ttl_s})

    async def refresh_addresses(
        self, regions: Sequence[str], without: frozenset[str] = frozenset()
    ) -> None:
        """Let viewers know which instances there are, without those that are about to end."""
        for name in regions:
            services: dict[str, list[str]] = {}
            for one in self._known(name).fleet.running():
                if one.id not in without:
                    services.setdefault(one.service, []).append(one.url)
            routes = {service: services[service] for service in ("gateway", "edge")}
            await self.tell_viewers("/routes", {name: routes})

    async def tell_region(self, region: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Ask a region's private control endpoint to do something.

        Raises:
            PlatformError: The region is dead or refuses.
        """
        self._known(region)
        answer = await self._ask(self._controls[region], "POST", f"/{what}", arguments)
        found: dict[str, Any] = answer.json()
        return found

    async def tell_viewers(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a ``PUT`` to the viewers' private control endpoint."""
        await self._ask(viewers_control(self.crowd, self.viewers_pipe), "PUT", path, body)

    async def _open(self, name: str) -> None:
        pipe, spans = memory_pipe()
        spec = RegionSpec(region=name, seed=self._seed, sps=PLENTY_SPS)
        region = Region(spec, self.network, pipe, sleep=self._sleep)
        await region.open()
        self.regions[name], self.pipes[name], self.spans[name] = region, pipe, spans
        self._controls[name] = region_control(region, pipe)
        await self.refresh_addresses([name])

    async def _ask(self, app: ASGIApp, method: str, path: str, body: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://control") as http:
            answer = await http.request(method, path, json=body)
        if answer.is_error:
            raise PlatformError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def _urls(self, region: str) -> list[str]:
        return [url for urls in self._known(region).addresses.values() for url in urls]

    def _known(self, region: str) -> Region:
        if region not in self._names:
            raise LayoutError(f"no region {region!r}; there are: {', '.join(self._names)}")
        if region not in self.regions:
            raise PlatformError(f"region {region!r} is dead; start it first")
        return self.regions[region]
