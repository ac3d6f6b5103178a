"""Sign-in: a token for a viewer's device, signed with a key that anyone can fetch."""

from __future__ import annotations

import time

from joserfc import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.platform.context import ServiceContext
from demo_stack.platform.errors import ServiceError
from demo_stack.platform.instrumented import service_app
from demo_stack.services.auth.keys import SigningKeys

ISSUER = "https://auth.demo.example"
TOKEN_LIFE_S = 900
SIGN_IN_S = 0.004


class Auth:
    """Issues tokens.

    Args:
        context: The instance's surroundings.
        keys: Sign; their public halves are served.
    """

    def __init__(self, context: ServiceContext, keys: SigningKeys) -> None:
        self._context = context
        self._keys = keys

    async def token(self, request: Request) -> Response:
        """``POST /token {viewer, device}``: a token for the viewer."""
        body = await request.json()
        if not body.get("viewer"):
            raise ServiceError("a token needs a viewer", status=400)
        await self._context.reach("auth.token")
        await self._context.work(SIGN_IN_S)
        now = int(time.time() + self._context.backing.auth_skew_s)
        claims = {
            "iss": ISSUER,
            "sub": body["viewer"],
            "device": body.get("device", ""),
            "iat": now,
            "exp": now + TOKEN_LIFE_S,
        }
        key = self._keys.current
        token = jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)
        return JSONResponse({"access_token": token, "expires_in": TOKEN_LIFE_S})

    async def keys(self, _request: Request) -> Response:
        """``GET /jwks.json``: the public keys."""
        return JSONResponse(self._keys.public())


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    auth = Auth(context, context.backing.keys)
    routes = [
        Route("/token", auth.token, methods=["POST"]),
        Route("/jwks.json", auth.keys),
    ]
    return service_app([*routes], context)
