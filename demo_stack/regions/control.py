"""A region's private endpoint: what the supervisor does to the region from inside."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.telemetry import TelemetryPipe
from demo_stack.eventlog.topics import VIEWS
from demo_stack.mantis.stream import stream_route
from demo_stack.regions.burner import Burner
from demo_stack.regions.region import Region
from demo_stack.services.playback.ladder import LADDER

LAUNCH_SEGMENTS = 3
"""What a visit here watches."""

_KNOWN = frozenset(field.name for field in fields(Disturbance))


class RegionControl:
    """The handlers, one an idea; each takes a JSON object and answers with one or with nothing.

    Args:
        region: To whom things are done.
        pipe: Its way out, for metrics that fall silent.
    """

    def __init__(self, region: Region, pipe: TelemetryPipe) -> None:
        self._region = region
        self._pipe = pipe
        self._burner = Burner()

    async def disturb(self, key: str, body: dict[str, Any]) -> None:
        """Set a disturbance."""
        if unknown := sorted(set(body) - _KNOWN):
            raise LayoutError(f"a disturbance has no {unknown}")
        self._region.points.disturb(key, Disturbance(**body))

    async def calm(self, key: str) -> None:
        """Remove a disturbance; ``all`` removes every one."""
        if key == "all":
            self._region.points.halt_all()
        self._region.points.calm(key)

    async def instances(self, service: str | None = None) -> dict[str, Any]:
        """Return the running instances."""
        running = self._region.fleet.running(service)
        return {"instances": [asdict(instance) for instance in running]}

    async def start_instance(self, service: str, version: str = "1.0.0") -> dict[str, Any]:
        """Start an instance."""
        return asdict(await self._region.fleet.start(service, version))

    async def load(self) -> dict[str, Any]:
        """Return what every instance has served since it started."""
        totals = self._region.stores.load.totals()
        return {"instances": {name: asdict(served) for name, served in totals.items()}}

    async def end_instance(self, instance: str, crash: bool = False) -> None:
        """Stop an instance in order, or crash it."""
        end = self._region.fleet.kill if crash else self._region.fleet.stop
        await end(instance)

    async def front_door(self, scale: float | None = None, zones: str | None = None) -> None:
        """Change the load balancers' capacity, or the zones in use (such as ``abc``)."""
        door = self._region.stores.gateway.front_door
        if scale is not None:
            door.scale(scale)
        if zones is not None:
            door.use(tuple(zones))

    async def tunnel(self, to: list[str]) -> None:
        """Let the gateways pass requests on to these gateways; to none ends it."""
        self._region.stores.gateway.tunnel.lead(to)

    async def configure(self, service: str, revision: str) -> None:
        """Push a configuration to every instance of a service."""
        if not self._region.fleet.running(service):
            raise LayoutError(f"no instance of {service!r} runs here to be configured")
        self._region.points.configurations[service] = revision

    async def sever_log(self, severed: bool) -> None:
        """Let the event log be out of reach, or reached again."""
        self._region.stores.log.severed = severed

    async def cache_zone(self, zone: str, up: bool) -> None:
        """Let a zone's cache be down, or up again and empty."""
        caches = self._region.stores.catalogue.zone_caches
        if zone not in caches:
            raise LayoutError(f"no cache in zone {zone!r}; there are: {', '.join(caches)}")
        if not up:
            caches[zone].clear()
        caches[zone].up = up

    async def freeze_registry(self, frozen: bool) -> None:
        """Let callers' copies of the registry grow stale, or refresh them again."""
        self._region.registry.frozen = frozen

    async def burn(self, threads: int) -> None:
        """Starve the region of processor time; 0 threads end it."""
        self._burner.burn(threads)

    async def poison(self, count: int) -> None:
        """Write events that nobody can read."""
        for number in range(count):
            now_ms = time.time_ns() // 1_000_000
            await self._region.stores.log.send(VIEWS, f"p{number}", {"": number}, time_ms=now_ms)

    async def empty_caches(self) -> None:
        """Empty every cache: of the edge, and the services' second level."""
        stores = self._region.stores
        for filler in stores.edge.fillers:
            filler.cache.clear()
        for cache in stores.catalogue.zone_caches.values():
            cache.clear()

    async def expect(self, title: str, per_s: float) -> None:
        """Announce a launch: so many sessions a second will begin with a title's first segments."""
        asset = self._region.stores.playback.library.asset(title)
        names = sorted(asset.names()) if asset else [rung.name for rung in LADDER]
        for name in names:
            for number in range(min(LAUNCH_SEGMENTS, asset.segments if asset else LAUNCH_SEGMENTS)):
                key = f"{title}/{name}/{number}"
                self._region.stores.edge.forecast.announce(key, per_s / len(names))

    async def fill(self) -> dict[str, Any]:
        """Let the edges fetch ahead, quiet or not; return how much each fetched."""
        return {"fetched": [await filler.fill() for filler in self._region.stores.edge.fillers]}

    async def damage_copies(self, copies: int) -> None:
        """Damage so many copies of every stored rendition, and let edges fetch them again."""
        self._region.stores.playback.objects.damage_all(copies)
        await self.empty_caches()

    async def restore(self) -> None:
        """Restore the stored renditions from elsewhere."""
        self._region.stores.playback.objects.clear()

    async def replica(self, zone: str, up: bool = True, lag_s: float | None = None) -> None:
        """Take a replica of the viewing history down, bring it back, or let it lag behind."""
        history = self._region.stores.playback.history
        if lag_s is not None:
            history.lag(zone, lag_s)
        elif up:
            history.back(zone)
        else:
            history.down(zone)

    async def rotate_keys(self) -> None:
        """Sign with a new key."""
        self._region.stores.auth.keys.rotate()

    async def skew_clock(self, seconds: float) -> None:
        """Let the clock of auth be wrong by so many seconds."""
        self._region.stores.auth.skew_s = seconds

    async def fit(
        self, accounts: dict[str, str] | None = None, shares: dict[str, float] | None = None
    ) -> None:
        """Set which accounts, or which share of them, are under which failure test."""
        if wrong := [share for share in (shares or {}).values() if not 0 <= share <= 1]:
            raise LayoutError(f"a share of the accounts is between 0 and 1, not {wrong[0]}")
        stores = self._region.stores.gateway
        stores.fit_accounts.clear()
        stores.fit_accounts.update(accounts or {})
        stores.fit_shares.clear()
        stores.fit_shares.update(shares or {})

    async def mute(self, metrics: list[str]) -> None:
        """Lose metrics of these names; an empty list loses none."""
        self._pipe.muted = frozenset(metrics)


def region_control(region: Region, pipe: TelemetryPipe) -> Starlette:
    """Return the application: ``POST /<handler>`` with the handler's arguments as JSON.

    ``GET /requests?filter=&sample=`` is the live stream of requests.
    """
    control = RegionControl(region, pipe)
    handlers: dict[str, Callable[..., Awaitable[dict[str, Any] | None]]] = {
        "disturb": control.disturb,
        "calm": control.calm,
        "instances": control.instances,
        "load": control.load,
        "start_instance": control.start_instance,
        "end_instance": control.end_instance,
        "front_door": control.front_door,
        "tunnel": control.tunnel,
        "configure": control.configure,
        "sever_log": control.sever_log,
        "cache_zone": control.cache_zone,
        "freeze_registry": control.freeze_registry,
        "burn": control.burn,
        "poison": control.poison,
        "empty_caches": control.empty_caches,
        "expect": control.expect,
        "fill": control.fill,
        "damage_copies": control.damage_copies,
        "restore": control.restore,
        "replica": control.replica,
        "rotate_keys": control.rotate_keys,
        "skew_clock": control.skew_clock,
        "fit": control.fit,
        "mute": control.mute,
    }

    async def handle(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in handlers:
            raise LayoutError(f"a region can't {name!r}; it can: {', '.join(handlers)}")
        return JSONResponse(await handlers[name](**await request.json()) or {})

    async def refuse(_request: Request, error: Exception) -> Response:
        return JSONResponse({"message": str(error)}, status_code=404)

    return Starlette(
        routes=[
            stream_route(region.stores.requests),
            Route("/{name}", handle, methods=["POST"]),
        ],
        exception_handlers={LayoutError: refuse, TypeError: refuse},
    )
