"""What viewers can ask for, composed from the services behind the gateway."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from demo_stack.chassis.client import Call
from demo_stack.services.gateway.exchange import Exchange, RefusedError, StatusCategory
from demo_stack.services.gateway.origin import Origins
from demo_stack.world.layout import Service
from demo_stack.world.titles import make_titles

POPULAR_TITLES = 8
HEARTBEATS = "/sessions/{session}/heartbeats"


class Endpoints:
    """Sign in, browse, select, play.

    Args:
        origins: The services behind.
        seed: The platform's: names the popular titles, should recommendations be away.
    """

    def __init__(self, origins: Origins, seed: int) -> None:
        self._origins = origins
        self._popular = [title.id for title in make_titles(seed)[:POPULAR_TITLES]]

    async def sign_in(self, exchange: Exchange) -> Response:
        """``POST /authorize`` and ``POST /token``: auth's own, passed on."""
        body = await exchange.body()
        call = Call(service=Service.AUTH, method="POST", route=exchange.path, json=body)
        return JSONResponse(await self._origins.json(call))

    async def browse(self, exchange: Exchange) -> Response:
        """``GET /browse``: a row of titles for the viewer."""
        row = await self._origins.json(
            Call(
                service=Service.RECOMMENDATIONS,
                method="GET",
                route="/viewers/{viewer}/row",
                path=f"/viewers/{exchange.viewer}/row",
            ),
            fallback=self._popular_row,
        )
        titles = await self._origins.json(
            Call(
                service=Service.CATALOGUE,
                method="GET",
                route="/titles",
                path=f"/titles?ids={','.join(row['titles'])}",
            )
        )
        return JSONResponse(titles)

    async def select(self, exchange: Exchange) -> Response:
        """``GET /titles/{title}``: what a title is about."""
        title = exchange.request.path_params["title"]
        call = Call(
            service=Service.CATALOGUE,
            method="GET",
            route="/titles/{title}",
            path=f"/titles/{title}",
        )
        return JSONResponse(await self._origins.json(call))

    async def play(self, exchange: Exchange) -> Response:
        """``POST /playback {title, device}``: a manifest."""
        body = await exchange.body()
        if not isinstance(body.get("title"), str) or not isinstance(body.get("device"), str):
            raise RefusedError(
                "to play takes a title and a device",
                status=400,
                category=StatusCategory.FAILURE_CLIENT_BAD_REQUEST,
            )
        start = {"viewer": exchange.viewer, "title": body["title"], "device": body["device"]}
        manifest = await self._origins.json(
            Call(service=Service.PLAYBACK, method="POST", route="/starts", json=start)
        )
        return JSONResponse(manifest, status_code=201)

    async def heartbeat(self, exchange: Exchange) -> Response:
        """``POST /sessions/{session}/heartbeats``: what a player says; maybe a licence back."""
        session = exchange.request.path_params["session"]
        call = Call(
            service=Service.PLAYBACK,
            method="POST",
            route=HEARTBEATS,
            path=f"/sessions/{quote(session, safe='')}/heartbeats",
            json={**await exchange.body(), "viewer": exchange.viewer},
        )
        return JSONResponse(await self._origins.json(call))

    async def _popular_row(self) -> dict[str, Any]:
        return {"titles": self._popular}


async def no_route(exchange: Exchange) -> Response:
    """Refuse what there is no endpoint for."""
    raise RefusedError(
        f"no route for {exchange.request.url.path[:80]!r}",
        status=404,
        category=StatusCategory.SUCCESS_LOCAL_NO_ROUTE,
    )
