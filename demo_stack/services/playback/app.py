"""Starting a stream, and the origin that edge caches are filled from."""

from __future__ import annotations

import time

from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.eventlog.traced import TracedProducer
from demo_stack.layout import Service
from demo_stack.platform.capacity import TokenBucket
from demo_stack.platform.client import Call
from demo_stack.platform.context import ServiceContext
from demo_stack.platform.errors import ServiceError
from demo_stack.platform.instrumented import service_app
from demo_stack.regions.backing import VIEWS
from demo_stack.services.playback.ladder import manifest
from demo_stack.stores.objects import DurabilityError
from demo_stack.stores.replicated import Consistency, UnavailableError

LICENCE_S = 0.005
BUILT_FOR = 1.0
"""Starts a second that one instance has licences for, over what the region is built for: the usual
two instances can do twice the usual traffic."""

ORIGIN_READ_S = 0.006
SEGMENT_BYTES = 1_024
"""Segments are tokens of a kilobyte: this platform moves requests, not video."""


class Playback:
    """Hands out manifests and segments."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._licences = TokenBucket(context.sps * BUILT_FOR, burst_s=2.0)
        self._views = TracedProducer(context.backing.log, VIEWS, context.telemetry)
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
        self._starts.add(1, {"device": body["device"]})
        await self._announce(body)
        self._remember(body)
        return JSONResponse(manifest(title, body["device"], session), status_code=201)

    async def segment(self, request: Request) -> Response:
        """``GET /origin/{title}/{rendition}/{number}``: a segment from the object store."""
        await self._context.reach("playback.origin")
        await self._context.work(ORIGIN_READ_S)
        try:
            body = self._stored(request.path_params["title"], request.path_params["rendition"])
        except DurabilityError as error:
            raise ServiceError(str(error), error_type="DurabilityError") from error
        return Response(body, media_type="video/iso.segment")

    def _stored(self, title: str, rendition: str) -> bytes:
        """Return the token that stands for a rendition, stored when first asked for."""
        objects, key = self._context.backing.objects, f"{title}/{rendition}"
        if not objects.versions(key):
            objects.put(key, key.encode().ljust(SEGMENT_BYTES, b"."))
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
                self._context.backing.history.write(
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


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    playback = Playback(context)
    routes = [
        Route("/starts", playback.start, methods=["POST"]),
        Route("/origin/{title}/{rendition}/{number}", playback.segment),
    ]
    return service_app([*routes], context)
