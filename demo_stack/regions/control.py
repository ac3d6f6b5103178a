"""A region's private endpoint: the supervisor sets and clears disturbances here."""

from __future__ import annotations

from dataclasses import fields

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.platform.disturbance import Disturbance, InjectionPoints

_KNOWN = frozenset(field.name for field in fields(Disturbance))


def region_control(points: InjectionPoints) -> Starlette:
    """Return the application: ``PUT`` and ``DELETE /disturbances/{key}``."""

    async def disturb(request: Request) -> Response:
        body = await request.json()
        if unknown := sorted(set(body) - _KNOWN):
            return JSONResponse({"message": f"unknown fields {unknown}"}, status_code=400)
        points.disturb(request.path_params["key"], Disturbance(**body))
        return Response(status_code=204)

    async def calm(request: Request) -> Response:
        points.calm(request.path_params["key"])
        return Response(status_code=204)

    path = "/disturbances/{key}"
    return Starlette(
        routes=[Route(path, disturb, methods=["PUT"]), Route(path, calm, methods=["DELETE"])]
    )
