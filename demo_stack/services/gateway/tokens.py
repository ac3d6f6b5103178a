"""Verifying tokens with auth's public keys, fetched once and again when a key is unknown."""

from __future__ import annotations

import time
from collections import OrderedDict

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.oauth import ISSUER
from demo_stack.world.layout import Service

REMEMBERED = 5_000
REFETCH_S = 5.0
"""Keys are fetched at most this often, or forged tokens would make us flood auth."""


class TokenVerifier:
    """Says which viewer a bearer token belongs to.

    Args:
        client: Fetches the key set from auth.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._keys: KeySet | None = None
        self._fetched_s = 0.0
        self._seen: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def viewer(self, authorization: str) -> str:
        """Return the viewer a header names.

        Raises:
            ServiceError: 401: no token, a forged one, or one past its time.
        """
        token = authorization.removeprefix("Bearer ")
        known = self._seen.get(token)
        if known is not None and time.time() < known[1]:
            return known[0]
        try:
            return self._remember(token, await self._verify(token))
        except (JoseError, ValueError) as error:
            raise ServiceError(f"token refused: {error}", status=401) from error

    async def _verify(self, token: str) -> jwt.Token:
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            verified = self._decode(token, self._keys or await self._fetch_keys())
        except (JoseError, ValueError):
            if time.monotonic() - self._fetched_s < REFETCH_S:
                raise
            # The key may be newer than what was fetched.
            verified = self._decode(token, await self._fetch_keys())
        registry.validate(verified.claims)
        return verified

    def _decode(self, token: str, keys: KeySet) -> jwt.Token:
        return jwt.decode(token, keys, algorithms=["ES256"])

    async def _fetch_keys(self) -> KeySet:
        document = await self._client.json(
            Call(service=Service.AUTH, method="GET", route="/jwks.json")
        )
        self._fetched_s = time.monotonic()
        self._keys = KeySet.import_key_set(document)
        return self._keys

    def _remember(self, token: str, verified: jwt.Token) -> str:
        viewer = str(verified.claims["sub"])
        self._seen[token] = (viewer, float(verified.claims["exp"]))
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return viewer
