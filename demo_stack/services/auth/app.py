"""Sign-in: OAuth 2 with PKCE, JSON Web Tokens, and the keys that anyone can verify them with."""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.bodies import BodyError, read_object
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.instrumented import service_app
from demo_stack.chassis.oauth import ISSUER
from demo_stack.services.auth.grants import Grant, GrantError
from demo_stack.services.auth.stores import AuthStores

TOKEN_LIFE_S = 900
SIGN_IN_S = 0.004


class Auth:
    """Issues tokens.

    Args:
        context: The instance's surroundings.
        stores: Keys that sign (their public halves are served), codes and refresh tokens.
    """

    def __init__(self, context: ServiceContext, stores: AuthStores) -> None:
        self._context = context
        self._stores = stores

    async def authorise(self, request: Request) -> Response:
        """``POST /authorize {viewer, device, code_challenge, code_challenge_method}``: a code."""
        body = await _object(request)
        code = self._stores.grants.authorise(
            str(body.get("viewer", "")),
            str(body.get("device", "")),
            str(body.get("code_challenge", "")),
            str(body.get("code_challenge_method", "")),
        )
        return JSONResponse({"code": code})

    async def token(self, request: Request) -> Response:
        """``POST /token``: tokens for a code and its verifier, or for a refresh token."""
        body = await _object(request)
        await self._context.reach("auth.token")
        await self._context.work(SIGN_IN_S)
        grant_type = body.get("grant_type")
        if grant_type == "authorization_code":
            grant = self._stores.grants.redeem(
                str(body.get("code", "")), str(body.get("code_verifier", ""))
            )
        elif grant_type == "refresh_token":
            grant = self._stores.grants.refresh(str(body.get("refresh_token", "")))
        else:
            raise GrantError("unsupported_grant_type")
        return JSONResponse(
            {
                "access_token": self._sign(grant),
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFE_S,
                "refresh_token": self._stores.grants.refresh_token(grant),
            }
        )

    async def jwks(self, _request: Request) -> Response:
        """``GET /jwks.json``: the public keys."""
        return JSONResponse(self._stores.keys.public())

    def _sign(self, grant: Grant) -> str:
        now = int(time.time() + self._stores.skew_s)
        claims = {
            "iss": ISSUER,
            "sub": grant.viewer,
            "device": grant.device,
            "iat": now,
            "exp": now + TOKEN_LIFE_S,
        }
        key = self._stores.keys.current
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


def build(context: ServiceContext, stores: AuthStores) -> ASGIApp:
    """Return the application."""
    auth = Auth(context, stores)
    routes = [
        Route("/authorize", auth.authorise, methods=["POST"]),
        Route("/token", auth.token, methods=["POST"]),
        Route("/jwks.json", auth.jwks),
    ]
    return service_app([*routes], context)


async def _object(request: Request) -> dict[str, Any]:
    try:
        return await read_object(request)
    except BodyError as error:
        raise GrantError("invalid_request") from error
