"""Starting a stream, and the origin that edge caches are filled from."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.capacity import TokenBucket
from demo_stack.chassis.client import Call
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.instrumented import service_app
from demo_stack.eventlog.topics import VIEWS
from demo_stack.eventlog.traced import TracedProducer
from demo_stack.services.playback.elsewhere import SYNC_S, Elsewhere
from demo_stack.services.playback.heartbeats import Heartbeats
from demo_stack.services.playback.ladder import manifest
from demo_stack.services.playback.manifests import Manifests
from demo_stack.services.playback.profiles import label_of, media_manifest
from demo_stack.services.playback.quality import RebufferRatio
from demo_stack.services.playback.rights import Rights
from demo_stack.services.playback.stores import PlaybackStores
from demo_stack.stores.heartbeat import EVERY_S, ReplicaHeartbeat
from demo_stack.stores.objects import DurabilityError
from demo_stack.stores.replicated import Consistency, UnavailableError
from demo_stack.world.layout import Service

LICENCE_S = 0.005
BUILT_FOR = 1.0
"""Starts a second that one instance has licences for, over what the region is built for: the usual
two instances can do twice the usual traffic."""

ORIGIN_READ_S = 0.006
SEGMENT_BYTES = 1_024
"""Segments of titles that are not encoded are tokens of a kilobyte."""


class Playback:
    """Hands out manifests and segments."""

    def __init__(self, context: ServiceContext, stores: PlaybackStores, rights: Rights) -> None:
        self._context = context
        self._stores = stores
        self._rights = rights
        self._licences = TokenBucket(context.sps * BUILT_FOR, burst_s=2.0)
        self._views = TracedProducer(stores.log, VIEWS, context.telemetry)
        self._starts = context.telemetry.meter.create_counter(
            "playback.starts", unit="{start}", description="Streams that were allowed to start."
        )

    async def start(self, request: Request) -> Response:
        """``POST /starts {viewer, title, device}``: a manifest for the viewer's device."""
        body = await request.json()
        title = await self._context.client.json(
            Call(
                service=Service.CATALOGUE,
                method="GET",
                route="/titles/{title}",
                path=f"/titles/{body['title']}",
            )
        )
        await self._licence(body["device"])
        session = f"{self._context.rng.getrandbits(64):016x}"
        licence = await self._rights.admit(body["viewer"], body["device"], title["id"], session)
        self._starts.add(1, {"device": label_of(body["device"])})
        await self._announce(body)
        self._remember(body)
        return JSONResponse(
            {**self._manifest(title, body["device"], session), "licence": licence}, status_code=201
        )

    async def segment(self, request: Request) -> Response:
        """``GET /origin/{title}/{rendition}/{number}``: a segment from the object store."""
        await self._context.reach("playback.origin")
        await self._context.work(ORIGIN_READ_S)
        try:
            body = self._stored(**request.path_params)
        except DurabilityError as error:
            raise ServiceError(str(error), error_type="DurabilityError") from error
        return Response(body, media_type="video/iso.segment")

    def _manifest(self, title: dict[str, Any], device: str, session: str) -> dict[str, Any]:
        """Return the manifest of what is encoded, of synthetic segments where nothing is."""
        asset = self._stores.library.asset(title["id"])
        encoded = media_manifest(asset, device, session) if asset else None
        return encoded or manifest(title, device, session)

    def _stored(self, title: str, rendition: str, number: str) -> bytes:
        """Return a segment, or the token that stands for it; stored when first asked for."""
        objects, library = self._stores.objects, self._stores.library
        encoded = library.segment(title, rendition, number) if "-" in rendition else None
        key, body = encoded or (f"{title}/{rendition}", b"")
        if encoded and not body:
            raise ServiceError(f"no segment {number[:20]!r} of {rendition[:40]!r}", status=404)
        if not objects.versions(key):
            objects.put(key, body or key.encode().ljust(SEGMENT_BYTES, b"."))
        return objects.get(key)

    async def _licence(self, device: str) -> None:
        await self._context.reach("playback.start", device=device)
        if not self._licences.admit(time.monotonic()):
            raise ServiceError(
                "licence store: too many requests", status=503, error_type="LicenceThrottled"
            )
        await self._context.work(LICENCE_S)

    def _remember(self, body: dict[str, str]) -> None:
        """Write the viewing history at quorum; a stream starts even if that is not possible."""
        attributes = {
            "db.system.name": "cassandra",
            "db.operation.name": "INSERT",
            "db.collection.name": "viewing_history",
        }
        with self._context.telemetry.tracer.start_as_current_span(
            "INSERT viewing_history", kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            try:
                self._stores.history.write(
                    f"{body['viewer']}/{body['title']}",
                    body["device"],
                    time_ms=time.time_ns() // 1_000_000,
                    level=Consistency.QUORUM,
                    writer=self._context.identity.instance,
                )
            except UnavailableError as error:
                span.set_attribute("error.type", "UnavailableError")
                span.set_status(Status(StatusCode.ERROR, str(error)))

    async def _announce(self, body: dict[str, str]) -> None:
        """Write a viewing event; whoever learns from it does so later."""
        view = {name: body[name] for name in ("viewer", "title", "device")}
        await self._views.send(body["viewer"], view)


def build(context: ServiceContext, stores: PlaybackStores) -> ASGIApp:
    """Return the application."""
    rights = Rights(context, stores.streams)
    playback = Playback(context, stores, rights)
    quality = RebufferRatio(context, stores.log, stores.rebuffering)
    beats = Heartbeats(context, stores.streams, rights, quality)
    lag = ReplicaHeartbeat(stores.history, context.telemetry)
    context.chores.every(EVERY_S, lag.beat)
    context.chores.every(SYNC_S, Elsewhere(context, stores.streams).work)
    routes = [
        Route("/starts", playback.start, methods=["POST"]),
        Route("/sessions/{session}/heartbeats", beats.beat, methods=["POST"]),
        Route("/manifests/{title}/{device}", Manifests(context, stores.library).manifest),
        Route("/origin/{title}/{rendition}/{number}", playback.segment),
    ]
    return service_app([*routes], context)
