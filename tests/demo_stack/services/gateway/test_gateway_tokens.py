"""The gateway believes auth's signatures and nobody else's."""

from __future__ import annotations

import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from opentelemetry.sdk.trace import ReadableSpan

from demo_stack.chassis.errors import DependencyError, ServiceError
from demo_stack.chassis.oauth import ISSUER
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.services.gateway.tokens import TokenVerifier


def _forge(**claims: object) -> str:
    key = ECKey.generate_key("P-256", auto_kid=True)
    now = int(time.time())
    body = {"iss": ISSUER, "sub": "v1", "exp": now + 60, **claims}
    return jwt.encode({"alg": "ES256", "kid": key.kid}, body, key)


def test_a_genuine_token_names_its_viewer_and_is_verified_once() -> None:
    """Verifying each time would cost more than the request."""

    async def story() -> tuple[ReadableSpan, ...]:
        async with open_region() as w:
            verifier = TokenVerifier(w.client)
            token = await w.token()
            assert await verifier.viewer(f"Bearer {token}") == "v1"
            w.exported.clear()
            assert await verifier.viewer(f"Bearer {token}") == "v1"
            return w.spans()

    assert steady.run(story()) == ()


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Bearer a.b.c", "forged", "cut"]
)
def test_anything_else_is_refused_with_401(authorization: str) -> None:
    """A token that is forged or old must open nothing."""

    async def story() -> int:
        async with open_region() as w:
            header = {
                "forged": f"Bearer {_forge()}",
                "cut": f"Bearer {(await w.token())[:-4]}",
            }.get(authorization, authorization)
            with pytest.raises(ServiceError) as refused:
                await TokenVerifier(w.client).viewer(header)
            return refused.value.status

    assert steady.run(story()) == 401


def test_forged_tokens_do_not_make_the_gateway_ask_for_keys_every_time() -> None:
    """Forged tokens would make us flood auth."""

    async def story() -> int:
        async with open_region() as w:
            verifier = TokenVerifier(w.client)
            for _ in range(20):
                with pytest.raises(ServiceError):
                    await verifier.viewer(f"Bearer {_forge()}")
            return sum(span.name == "GET /jwks.json" for span in w.spans())

    assert steady.run(story()) <= 2 * 2  # client and server span of two fetches at most


def test_without_auth_a_token_cannot_be_checked() -> None:
    """Unknown must not be taken for allowed."""

    async def story() -> None:
        async with open_region() as w:
            token = await w.token()
            await w.region.fleet.kill("auth-us-east-1-1")
            with pytest.raises(DependencyError):
                await TokenVerifier(w.client).viewer(f"Bearer {token}")

    steady.run(story())
