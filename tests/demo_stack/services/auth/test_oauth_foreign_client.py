"""Authlib's client signs in, refreshes, and verifies with the keys that we publish."""

from __future__ import annotations

import asyncio
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from demo_stack.chassis.network import SocketNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.world.layout import Service

VERIFIER = "a-foreign-client-has-a-verifier-of-its-own-too"


def _sign_in(gateway: str) -> dict[str, Any]:
    """Use nothing but authlib and requests."""
    with OAuth2Session("app", token_endpoint_auth_method="none") as client:
        client.trust_env = False
        request = {
            "viewer": "v0007",
            "device": "web",
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        code = requests.post(f"{gateway}/authorize", json=request, timeout=5).json()["code"]
        first = client.fetch_token(
            f"{gateway}/token", code=code, code_verifier=VERIFIER,
            grant_type="authorization_code",
        )  # fmt: skip
        second = client.refresh_token(f"{gateway}/token", refresh_token=first["refresh_token"])
        browsed = client.get(f"{gateway}/browse", timeout=5)
        return {"first": first, "second": second, "browsed": browsed.status_code}


def test_authlib_signs_in_by_pkce_refreshes_and_outlives_a_rotation() -> None:
    """A foreign OAuth client is the proof that we speak OAuth."""

    async def story() -> tuple[dict[str, Any], Any]:
        network = SocketNetwork()
        region = Region(RegionSpec(region="us-east-1", sps=100.0), network, memory_pipe()[0])
        await region.open()
        region.stores.auth.keys.rotate()
        try:
            said = await asyncio.to_thread(_sign_in, region.addresses[Service.GATEWAY][0])
            jwks = region.addresses[Service.AUTH][0] + "/jwks.json"
            keys = await asyncio.to_thread(lambda: requests.get(jwks, timeout=5).json())
        finally:
            await region.close()
            await network.close()
        return said, keys

    said, keys = asyncio.run(story())
    assert said["browsed"] == 200
    assert said["first"]["token_type"] == "Bearer"
    assert said["second"]["refresh_token"] != said["first"]["refresh_token"]
    token = jwt.decode(said["second"]["access_token"], KeySet.import_key_set(keys))
    assert (token.claims["sub"], token.header["kid"]) == ("v0007", "key-1")
    assert all("d" not in key for key in keys["keys"])
