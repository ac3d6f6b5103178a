"""Sign-in: a token for a viewer's device, signed with a key that anyone can fetch."""

from __future__ import annotations

import time

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.platform.context import ServiceContext
from demo_stack.platform.errors import ServiceError
from demo_stack.platform.instrumented import service_app

ISSUER = "https://auth.demo.example"
TOKEN_LIFE_S = 900
SIGN_IN_S = 0.004


class Auth:
    """Issues tokens.

    Args:
        context: The instance's surroundings.
        key: Signs; the public half is served as a JSON Web Key Set.
    """

    def __init__(self, context: ServiceContext, key: ECKey) -> None:
        self._context = context
        self._key = key

    async def token(self, request: Request) -> Response:
        """``POST /token {viewer, device}``: a token for the viewer."""
        body = await request.json()
        if not body.get("viewer"):
            raise ServiceError("a token needs a viewer", status=400)
        await self._context.reach("auth.token")
        await self._context.work(SIGN_IN_S)
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": body["viewer"],
            "device": body.get("device", ""),
            "iat": now,
            "exp": now + TOKEN_LIFE_S,
        }
        token = jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key)
        return JSONResponse({"access_token": token, "expires_in": TOKEN_LIFE_S})

    async def keys(self, _request: Request) -> Response:
        """``GET /jwks.json``: the public keys."""
        return JSONResponse(KeySet([self._key]).as_dict(private=False))


def build(context: ServiceContext) -> ASGIApp:
    """Return the application, with a fresh signing key."""
    key = ECKey.generate_key("P-256", parameters={"use": "sig"}, auto_kid=True)
    auth = Auth(context, key)
    routes = [
        Route("/token", auth.token, methods=["POST"]),
        Route("/jwks.json", auth.keys),
    ]
    return service_app([*routes], context)
