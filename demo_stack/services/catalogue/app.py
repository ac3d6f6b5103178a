"""Titles by id; also the service that is scraped (``GET /metrics``, Prometheus text)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.instrumented import service_app
from demo_stack.services.catalogue.stores import CatalogueStores
from demo_stack.stores.cache import ReplicatedCache, TwoLevelCache, ZoneCache
from demo_stack.stores.traced import TracedCache
from demo_stack.world.titles import Title, make_titles

LOOKUP_S = 0.003
"""Time to read titles from the database; the cache answers at once."""

NEAR_ENTRIES = 200


class Catalogue:
    """Looks titles up and counts its look-ups with ``prometheus_client``."""

    def __init__(
        self, context: ServiceContext, cache: TracedCache, titles: Sequence[Title]
    ) -> None:
        self._context = context
        self._titles = {title.id: title for title in titles}
        self._cache = cache
        self._registry = CollectorRegistry()
        self._lookups = Counter(
            "catalogue_lookups", "Titles looked up.", ["outcome"], registry=self._registry
        )
        self._cached = Counter(
            "catalogue_cache", "Look-ups in the cache.", ["found"], registry=self._registry
        )
        self._seconds = Histogram(
            "catalogue_lookup_seconds",
            "Time to look titles up.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
            registry=self._registry,
        )
        Gauge("catalogue_titles", "Titles on offer.", registry=self._registry).set(len(titles))

    async def many(self, request: Request) -> Response:
        """``GET /titles?ids=a,b``: those of the titles that exist."""
        ids = request.query_params.get("ids", "").split(",")
        found = await self._find(ids)
        return JSONResponse({"titles": [title.document() for title in found]})

    async def one(self, request: Request) -> Response:
        """``GET /titles/{title}``: one title, or 404."""
        found = await self._find([request.path_params["title"]])
        if not found:
            raise ServiceError(f"no title {request.path_params['title']!r}", status=404)
        return JSONResponse(found[0].document())

    async def metrics(self, _request: Request) -> Response:
        """``GET /metrics``: what a Prometheus scraper reads."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _find(self, ids: list[str]) -> list[Title]:
        started = time.perf_counter()
        await self._context.reach("catalogue.lookup", title=ids[0])
        found = [title for title in [self._from_cache(key) for key in ids] if title is not None]
        if len(found) < len(ids):
            found = await self._from_database(ids)
        self._lookups.labels("found").inc(len(found))
        if len(found) < len(ids):
            self._lookups.labels("missing").inc(len(ids) - len(found))
        self._seconds.observe(time.perf_counter() - started)
        return found

    def _from_cache(self, key: str) -> Title | None:
        document, level = self._cache.get(key)
        self._cached.labels(level).inc()
        return None if document is None else Title(**document)

    async def _from_database(self, ids: list[str]) -> list[Title]:
        await self._context.work(LOOKUP_S)
        found = [self._titles[key] for key in ids if key in self._titles]
        for title in found:
            self._cache.put(title.id, title.document())
        return found


def _cache(context: ServiceContext, stores: CatalogueStores) -> TracedCache:
    far = ReplicatedCache(stores.zone_caches)
    cache = TwoLevelCache(ZoneCache(NEAR_ENTRIES), far, context.identity.zone[-1:])
    return TracedCache(cache, far, context.telemetry.tracer, "titles")


def build(context: ServiceContext, stores: CatalogueStores) -> ASGIApp:
    """Return the application."""
    catalogue = Catalogue(context, _cache(context, stores), make_titles(context.seed))
    routes = [
        Route("/titles", catalogue.many),
        Route("/titles/{title}", catalogue.one),
        Route("/metrics", catalogue.metrics),
    ]
    return service_app([*routes], context)
