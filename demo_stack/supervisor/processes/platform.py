"""The running platform: one process a region, one for the viewers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx2

from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.regions.spec import RegionAddresses, RegionSpec
from demo_stack.services.encoding.process import EncoderSpec
from demo_stack.supervisor.processes.audience import ROUTES, Audience, UnreachableError
from demo_stack.supervisor.processes.child import Child
from demo_stack.supervisor.processes.encoding import NAME as ENCODER
from demo_stack.supervisor.processes.encoding import EncodingDesk
from demo_stack.supervisor.processes.keeper import Keeper
from demo_stack.supervisor.processes.parts import Parts
from demo_stack.supervisor.processes.run_files import RunFiles
from demo_stack.supervisor.processes.stand_ins import StandIns
from demo_stack.viewers.process import ViewersSpec
from demo_stack.world.layout import DAY_S, Service

CONTROL_TIMEOUT_S = 20.0
PUBLIC = (Service.GATEWAY, Service.EDGE)
"""What viewers talk to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSpec:
    """The platform to run.

    Attributes:
        regions: Names of the regions.
        seed: Makes viewers and titles repeatable.
        sps: Stream starts a second in each region.
        otlp_endpoint: Base URL that spans and metrics go to.
        spectator: Where spectator lines go.
        day_s: Length of a day, in seconds: days pass faster here.
        autoscale: Let the scheduler scale services by measured and expected traffic.
        embedded: Use embedded caches and logs even where real ones are installed.
        encoded_titles: How many titles are encoded, the most popular first; 0 for none.
        media: Directory that encodes are kept in.
        billing_url: Database of the ledger; empty for SQLite in the run directory.
    """

    regions: Sequence[str]
    seed: int
    sps: float
    otlp_endpoint: str
    spectator: str
    day_s: float = DAY_S
    autoscale: bool = False
    embedded: bool = False
    encoded_titles: int = 0
    media: str = ""
    billing_url: str = ""


class Platform:
    """Starts, kills and restarts the processes.

    A region or the viewers that die without being told to come back after a while.

    Args:
        spec: What to run.
        files: Where to tell others about it.
    """

    def __init__(self, spec: PlatformSpec, files: RunFiles) -> None:
        self._spec = spec
        self._files = files
        self._http = httpx2.AsyncClient(trust_env=False, timeout=CONTROL_TIMEOUT_S)
        self.parts = Parts(spec.regions, files.logs, embedded=spec.embedded)
        encoder = EncoderSpec(
            cache=spec.media,
            titles=spec.encoded_titles,
            seed=spec.seed,
            otlp_endpoint=spec.otlp_endpoint,
        )
        self.encoding = EncodingDesk(encoder, files.logs)
        self._stand_ins = StandIns(spec.regions, self.tell_region, lambda: self.others(""))
        self._regions = {region: self._region(region) for region in spec.regions}
        self._addresses: dict[str, RegionAddresses] = {}
        self._audience = Audience(self._viewers_spec, self._put, files.logs, self._moved)
        self._keepers: dict[str, Keeper] = {}
        self._started = time.monotonic()
        self.on_move: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Start the foreign parts, every region at once, then let the viewers come."""
        await self.parts.start()
        self._regions = {region: self._region(region) for region in self._spec.regions}
        async with asyncio.TaskGroup() as group:
            for region in self._regions:
                group.create_task(self._up(region))
        await self._audience.start()
        self.encoding.open()
        self._files.write_discovery(self._services())
        for region, child in self._regions.items():
            self._keepers[region] = Keeper(child, partial(self._revive, region))
        for keeper in (self._audience.keeper, *self._keepers.values()):
            keeper.open()

    async def stop(self) -> None:
        """End the viewers first, so that nobody sees the regions go."""
        await asyncio.gather(*(keeper.close() for keeper in self._keepers.values()))
        await self._audience.stop()
        await self.encoding.close()
        await asyncio.gather(*(child.stop() for child in self._regions.values()))
        await self.parts.stop()
        await self._http.aclose()

    async def kill_region(self, region: str) -> None:
        """Kill a region's process with no warning; it stays dead until it is started."""
        child = self._child(region)
        if region in self._keepers:
            self._keepers[region].leave_dead()
        await child.kill()

    async def start_region(self, region: str) -> None:
        """Start a region's process again unless it is up; its viewers follow."""
        self._child(region)
        if region in self._keepers and await self._keepers[region].up():
            await self.steer(region, [region])

    async def kill_part(self, name: str, *, stay: bool = False) -> None:
        """Kill a cache node, the broker, what stands in for them, or the encoder.

        Args:
            name: Such as ``cache-us-east-1a``, ``broker``, ``encoder``.
            stay: It stays dead until it is started; otherwise it comes back after a while.

        Raises:
            LayoutError: There is no such part.
        """
        if name == ENCODER:
            await self.encoding.kill()
        elif self.parts.runs(name):
            await self.parts.kill(name, stay=stay)
        else:
            await self._stand_ins.kill(name, stay=stay)

    async def start_part(self, name: str) -> None:
        """Start a part that was killed; the encoder comes back by itself.

        Raises:
            LayoutError: There is no such part.
        """
        if self.parts.runs(name):
            await self.parts.revive(name)
        else:
            await self._stand_ins.revive(name)

    async def pause_region(self, region: str) -> None:
        """Stop a region's process where it stands: connections open, nothing answers."""
        self._child(region).pause()

    async def resume_region(self, region: str) -> None:
        """Let a paused region go on."""
        self._child(region).resume()

    async def steer(self, region: str, to: Sequence[str], ttl_s: float = 0.0) -> None:
        """Let the viewers of ``region`` be served by the gateways and edges of other regions."""
        for name in (region, *to):
            self._child(name)
        await self.tell_viewers(ROUTES, {name: self._public(name) for name in to})
        await self.tell_viewers("/steer", {"region": region, "to": list(to), "ttl_s": ttl_s})

    async def refresh_addresses(
        self, regions: Sequence[str], without: frozenset[str] = frozenset()
    ) -> None:
        """Learn which instances ``regions`` run now, and let viewers know.

        Args:
            regions: Whose.
            without: Instances that are about to end: nobody is sent there any more.
        """
        for region in regions:
            answer = await self.tell_region(region, "instances")
            services: dict[str, list[str]] = {}
            for one in answer["instances"]:
                if one["id"] not in without:
                    services.setdefault(one["service"], []).append(one["url"])
            self._addresses[region] = replace(self._addresses[region], services=services)
            await self.tell_viewers(ROUTES, {region: self._public(region)})
        self._files.write_discovery(self._services())

    def healthy(self) -> bool:
        """Return whether every region is up."""
        return all(child.alive for child in self._regions.values())

    def others(self, region: str) -> list[str]:
        """Return the regions that are up, without ``region``."""
        return [name for name, child in self._regions.items() if child.alive and name != region]

    async def tell_region(self, region: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Ask a region's private control endpoint to do something.

        Raises:
            PlatformError: The region is dead or refuses.
        """
        if not self._child(region).alive:
            raise PlatformError(f"region {region!r} is dead; start it first")
        url = f"{self._addresses[region].control}/{what}"
        answer: dict[str, Any] = (await self._tell("POST", url, arguments)).json()
        return answer

    async def tell_viewers(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a ``PUT`` to the viewers' private control endpoint; later if they are away."""
        await self._audience.tell(path, body)

    def status(self) -> dict[str, Any]:
        """Return who is up, and where."""
        regions = {
            region: {
                "state": "up" if child.alive else "dead",
                "pid": child.pid,
                "services": self._addresses[region].services,
                "control": self._addresses[region].control,
                "registry": self._addresses[region].registry,
            }
            for region, child in self._regions.items()
        }
        return {
            "seed": self._spec.seed,
            "sps": self._spec.sps,
            "uptime_s": round(time.monotonic() - self._started, 1),
            "regions": regions,
            "parts": self.parts.status(),
            "encoding": self.encoding.status(),
            "viewers": self._audience.status(),
        }

    async def _up(self, region: str) -> None:
        ready = await self._regions[region].start()
        self._addresses[region] = RegionAddresses(**ready)

    async def _revive(self, region: str) -> None:
        """Start a region that died, and let everybody know where it is now."""
        await self._up(region)
        await self.tell_viewers(ROUTES, {region: self._public(region)})
        self._files.write_discovery(self._services())
        self._moved()

    def _moved(self) -> None:
        self.on_move()

    async def _put(self, url: str, body: Mapping[str, Any]) -> None:
        await self._tell("PUT", url, body)

    async def _tell(self, method: str, url: str, body: Mapping[str, Any]) -> httpx2.Response:
        try:
            response = await self._http.request(method, url, json=body)
        except httpx2.NetworkError as error:
            raise UnreachableError(
                f"{method} {url}: nobody there ({type(error).__name__})"
            ) from error
        except httpx2.TransportError as error:
            raise PlatformError(f"{method} {url}: no answer ({type(error).__name__})") from error
        if response.is_error:
            raise PlatformError(f"{method} {url}: {response.status_code} {response.text}")
        return response

    def _child(self, region: str) -> Child:
        if region not in self._regions:
            raise LayoutError(f"no region {region!r}; there are: {', '.join(self._regions)}")
        return self._regions[region]

    def _region(self, region: str) -> Child:
        spec = RegionSpec(
            region=region,
            seed=self._spec.seed,
            otlp_endpoint=self._spec.otlp_endpoint,
            spectator=self._spec.spectator,
            sps=self._spec.sps,
            day_s=self._spec.day_s,
            caches=self.parts.caches(region),
            broker=self.parts.broker,
            media=self._spec.media,
            billing_url=self._spec.billing_url or f"sqlite:///{self._files.ledger}",
        )
        return Child(region, ["region", spec.to_json()], self._files.logs)

    def _viewers_spec(self) -> ViewersSpec:
        return ViewersSpec(
            routes={region: self._public(region) for region in self._regions},
            rate=self._spec.sps,
            day_s=self._spec.day_s,
            seed=self._spec.seed,
            otlp_endpoint=self._spec.otlp_endpoint,
        )

    def _public(self, region: str) -> dict[str, list[str]]:
        services = self._addresses[region].services
        return {service.value: services[service] for service in PUBLIC}

    def _services(self) -> dict[str, dict[str, list[str]]]:
        return {region: where.services for region, where in self._addresses.items()}
