"""Starting a stream, and the origin that edge caches are filled from."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.layout import Service
from demo_stack.platform.client import Call
from demo_stack.platform.context import ServiceContext
from demo_stack.platform.errors import ServiceError
from demo_stack.platform.instrumented import service_app
from demo_stack.services.playback.ladder import manifest

LICENCE_S = 0.005
ORIGIN_READ_S = 0.006
SEGMENT_BYTES = 1_024
"""Segments are tokens of a kilobyte: this platform moves requests, not video."""


class Playback:
    """Hands out manifests and segments."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
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
        await self._licence()
        session = f"{self._context.rng.getrandbits(64):016x}"
        self._starts.add(1, {"device": body["device"]})
        return JSONResponse(
            manifest(title, body["device"], session),
            status_code=201,
            background=BackgroundTask(self._remember, body),  # nobody should wait for this
        )

    async def segment(self, _request: Request) -> Response:
        """``GET /origin/{title}/{rendition}/{number}``: a segment from the store."""
        await self._context.points.reach("playback.origin")
        await self._context.work(ORIGIN_READ_S)
        return Response(bytes(SEGMENT_BYTES), media_type="video/iso.segment")

    async def _licence(self) -> None:
        await self._context.points.reach("playback.start")
        await self._context.work(LICENCE_S)

    async def _remember(self, body: dict[str, str]) -> None:
        call = Call(
            service=Service.RECOMMENDATIONS,
            method="POST",
            route="/views",
            json={"viewer": body["viewer"], "title": body["title"]},
        )
        try:
            await self._context.client.send(call)
        except ServiceError:
            return  # a stream starts even if nobody remembers it


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    playback = Playback(context)
    routes = [
        Route("/starts", playback.start, methods=["POST"]),
        Route("/origin/{title}/{rendition}/{number}", playback.segment),
    ]
    return service_app([*routes], context.telemetry)
