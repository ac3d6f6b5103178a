"""Segments from a cache, from the origin on a miss; reports with spectator's line protocol."""

from __future__ import annotations

import time
from urllib.parse import quote

from spectator.config import Config
from spectator.registry import Registry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.browsers import open_to_browsers
from demo_stack.chassis.client import Call
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.instrumented import service_app
from demo_stack.services.edge.cache import PopularityCache
from demo_stack.services.edge.filling import FILL_EVERY_S, Filler
from demo_stack.services.edge.forecast import QuietHours
from demo_stack.services.edge.stores import EdgeStores
from demo_stack.world.layout import Service

CACHE_ENTRIES = 400
READ_S = 0.001


class Edge:
    """A cache in front of playback's origin, filled on demand and ahead."""

    def __init__(self, context: ServiceContext, stores: EdgeStores, cache: PopularityCache) -> None:
        self._context = context
        self._cache = cache
        self.filler = Filler(cache, stores.forecast, self._fetch, QuietHours(stores.day_s))
        self._registry = Registry(
            Config(location=context.spectator, extra_common_tags=context.identity.attributes())
        )

        context.chores.at_end(self._registry.close)

    async def segment(self, request: Request) -> Response:
        """``GET /segments/{title}/{rendition}/{number}``."""
        started = time.perf_counter()
        key = "/".join(request.path_params.values())
        await self._context.reach("edge.read")
        await self._context.work(READ_S)
        self.filler.asked(key)
        body = self._cache.get(key)
        outcome = "miss" if body is None else "hit"
        if body is None:
            body = await self._fetch(key)
            self._cache.put(key, body)
        self._registry.counter("edge.requests", {"cache": outcome}).increment()
        self._registry.counter("edge.bytes").increment(len(body))
        self._registry.pct_timer("edge.latency", {"cache": outcome}).record(
            time.perf_counter() - started
        )
        return Response(body, media_type="video/iso.segment", headers={"x-cache": outcome})

    async def manifest(self, request: Request) -> Response:
        """``GET /manifests/{title}/{device}``: playback's own, passed on."""
        path = "/".join(quote(part, safe="") for part in request.path_params.values())
        route = "/manifests/{title}/{device}"
        call = Call(service=Service.PLAYBACK, method="GET", route=route, path=f"/manifests/{path}")
        answer = await self._context.client.send(call)
        return Response(
            answer.content, answer.status_code, media_type=answer.headers.get("content-type")
        )

    async def fill(self) -> None:
        """Fetch ahead, if it is quiet; say how much."""
        before = self.filler.fetched
        await self.filler.chore()
        self._registry.counter("edge.fills").increment(self.filler.fetched - before)

    async def _fetch(self, key: str) -> bytes:
        response = await self._context.client.send(
            Call(
                service=Service.PLAYBACK,
                method="GET",
                route="/origin/{title}/{rendition}/{number}",
                path=f"/origin/{key}",
            )
        )
        if response.status_code >= 400:
            raise ServiceError(f"no segment {key[:80]!r}", status=404)
        return response.content


def build(context: ServiceContext, stores: EdgeStores) -> ASGIApp:
    """Return the application, with a cold cache."""
    cache = PopularityCache(CACHE_ENTRIES)
    edge = Edge(context, stores, cache)
    stores.fillers.append(edge.filler)
    context.chores.every(FILL_EVERY_S, edge.fill)
    context.chores.at_end(lambda: stores.fillers.remove(edge.filler))
    routes = [
        Route("/segments/{title}/{rendition}/{number}", edge.segment),
        Route("/manifests/{title}/{device}", edge.manifest),
    ]
    return open_to_browsers(service_app([*routes], context))
