"""DASH manifests for players that play for real."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.services.playback.dash import MEDIA_TYPE, write_mpd
from demo_stack.services.playback.library import MediaLibrary
from demo_stack.services.playback.profiles import profile_of


class Manifests:
    """``GET /manifests/{title}/{device}``."""

    def __init__(self, context: ServiceContext, library: MediaLibrary) -> None:
        self._context = context
        self._library = library

    async def manifest(self, request: Request) -> Response:
        """Answer with the manifest of an encoded title, 404 for any other."""
        await self._context.reach("playback.manifest")
        title, device = request.path_params["title"], request.path_params["device"]
        asset = self._library.asset(title)
        text = write_mpd(asset, profile_of(device)) if asset else None
        if text is None:
            raise ServiceError(
                f"title {title[:40]!r} is not encoded for {device[:40]!r}: it plays synthetic "
                "segments",
                status=404,
            )
        return Response(text, media_type=MEDIA_TYPE)
