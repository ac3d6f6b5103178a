"""The front door: four requests that viewers make, composed from the services behind."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.layout import Service
from demo_stack.platform.client import Call
from demo_stack.platform.context import ServiceContext
from demo_stack.platform.instrumented import service_app
from demo_stack.services.gateway.tokens import TokenVerifier


class Gateway:
    """Login, browse, select, play."""

    def __init__(self, context: ServiceContext, tokens: TokenVerifier) -> None:
        self._client = context.client
        self._tokens = tokens

    async def login(self, request: Request) -> Response:
        """``POST /login {viewer, device}``: a token."""
        body = await request.json()
        call = Call(service=Service.AUTH, method="POST", route="/token", json=body)
        return JSONResponse(await self._client.json(call))

    async def browse(self, request: Request) -> Response:
        """``GET /browse``: a row of titles for the viewer."""
        viewer = await self._viewer(request)
        row = await self._client.json(
            Call(
                service=Service.RECOMMENDATIONS,
                method="GET",
                route="/viewers/{viewer}/row",
                path=f"/viewers/{viewer}/row",
            )
        )
        titles = await self._client.json(
            Call(
                service=Service.CATALOGUE,
                method="GET",
                route="/titles",
                path=f"/titles?ids={','.join(row['titles'])}",
            )
        )
        return JSONResponse(titles)

    async def select(self, request: Request) -> Response:
        """``GET /titles/{title}``: what a title is about."""
        await self._viewer(request)
        return JSONResponse(await self._title(request.path_params["title"]))

    async def play(self, request: Request) -> Response:
        """``POST /playback {title, device}``: a manifest."""
        viewer = await self._viewer(request)
        body = await request.json()
        manifest = await self._client.json(
            Call(
                service=Service.PLAYBACK,
                method="POST",
                route="/starts",
                json={"viewer": viewer, "title": body["title"], "device": body["device"]},
            )
        )
        return JSONResponse(manifest, status_code=201)

    async def _title(self, title: str) -> Any:
        call = Call(
            service=Service.CATALOGUE,
            method="GET",
            route="/titles/{title}",
            path=f"/titles/{title}",
        )
        return await self._client.json(call)

    async def _viewer(self, request: Request) -> str:
        return await self._tokens.viewer(request.headers.get("authorization", ""))


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    gateway = Gateway(context, TokenVerifier(context.client))
    routes = [
        Route("/login", gateway.login, methods=["POST"]),
        Route("/browse", gateway.browse),
        Route("/titles/{title}", gateway.select),
        Route("/playback", gateway.play, methods=["POST"]),
    ]
    return service_app([*routes], context)
