"""The route that tells a caller who we take it for."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.access.gate import Principal
from tocsin.access.rights import RIGHTS, Right, Role
from tocsin.client.whoami import WHOAMI


def whoami_route() -> Route:
    """Return the route; without a token it is ``anybody``, with all rights where all are open."""
    return Route(WHOAMI, _answer, methods=["GET"])


async def _answer(request: Request) -> JSONResponse:
    principal: Principal = request.scope["principal"]
    open_to_all = [right for right in Right if right is not Right.NOTHING]
    trusted = request.scope["trusted"]
    rights: Collection[Right] = open_to_all if trusted and principal.token is None else ()
    if principal.role:
        rights = RIGHTS[Role(principal.role)]
    return JSONResponse(
        {"name": principal.name, "role": principal.role, "rights": sorted(rights)},
        headers={"Cache-Control": "no-store"},
    )
