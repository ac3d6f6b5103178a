"""Codes need their verifier and work once; refresh tokens rotate, and theft ends them all."""

from __future__ import annotations

from random import Random

import pytest

from demo_stack.chassis.oauth import challenge_of
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.services.auth.grants import (
    CODE_LIFE_S,
    REFRESH_LIFE_S,
    GrantError,
    Grants,
)

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Present:
    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture
def grants(present: Present) -> Grants:
    return Grants(Random(1), present)


def _code(grants: Grants) -> str:
    return grants.authorise("v1", "tv", CHALLENGE, "S256")


def test_the_challenge_is_that_of_the_rfc() -> None:
    """Another challenge than the RFC's locks every foreign client out."""
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_code_and_its_verifier_grant_once(grants: Grants) -> None:
    """A code that works twice works for a thief, too."""
    code = _code(grants)
    assert grants.redeem(code, VERIFIER).viewer == "v1"
    with pytest.raises(GrantError, match="invalid_grant"):
        grants.redeem(code, VERIFIER)


def test_a_code_used_again_ends_what_came_of_it(grants: Grants) -> None:
    """Tokens of a stolen code would live on."""
    code = _code(grants)
    token = grants.refresh_token(grants.redeem(code, VERIFIER))
    with pytest.raises(GrantError, match="invalid_grant"):
        grants.redeem(code, VERIFIER)
    with pytest.raises(GrantError, match="invalid_grant"):
        grants.refresh(token)


@pytest.mark.parametrize("length", [42, 129])
def test_a_verifier_of_a_wrong_length_proves_nothing(grants: Grants, length: int) -> None:
    """The RFC's bounds keep verifiers from being guessed."""
    verifier = "v" * length
    code = grants.authorise("v1", "tv", challenge_of(verifier), "S256")
    with pytest.raises(GrantError, match="invalid_grant"):
        grants.redeem(code, verifier)


@pytest.mark.parametrize(
    ("viewer", "challenge", "method"),
    [("", CHALLENGE, "S256"), ("v", CHALLENGE, "plain"), ("v", "short", "S256"), ("v", "", "")],
)
def test_without_an_account_or_a_real_challenge_there_is_no_code(
    grants: Grants, viewer: str, challenge: str, method: str
) -> None:
    """A code without a challenge is as good as a password on a postcard."""
    with pytest.raises(GrantError, match="invalid_request"):
        grants.authorise(viewer, "tv", challenge, method)


def test_a_stolen_code_is_worth_nothing_and_lost_for_the_thief_too(grants: Grants) -> None:
    """Whoever has the code alone must get nothing."""
    code = _code(grants)
    for verifier in ("guess", VERIFIER):
        with pytest.raises(GrantError):
            grants.redeem(code, verifier)


@pytest.mark.parametrize(("later", "good"), [(CODE_LIFE_S, True), (CODE_LIFE_S + 1, False)])
def test_a_code_ages(grants: Grants, present: Present, later: float, good: bool) -> None:
    """A code that is found later must not work any more."""
    code = _code(grants)
    present.s += later
    if good:
        assert grants.redeem(code, VERIFIER)
    else:
        with pytest.raises(GrantError):
            grants.redeem(code, VERIFIER)


def test_refresh_tokens_rotate_and_age(grants: Grants, present: Present) -> None:
    """A refresh token that lasts for ever is a password."""
    first = grants.refresh_token(grants.redeem(_code(grants), VERIFIER))
    second = grants.refresh_token(grants.refresh(first))
    assert grants.refresh(second).viewer == "v1"
    third = grants.refresh_token(grants.redeem(_code(grants), VERIFIER))
    present.s += REFRESH_LIFE_S + 1
    with pytest.raises(GrantError):
        grants.refresh(third)


def test_a_refresh_token_used_twice_ends_its_family_and_no_other(grants: Grants) -> None:
    """One of the two users stole it; others must not be signed out."""
    other = grants.refresh_token(grants.redeem(_code(grants), VERIFIER))
    first = grants.refresh_token(grants.redeem(_code(grants), VERIFIER))
    second = grants.refresh_token(grants.refresh(first))
    for token in (first, second):
        with pytest.raises(GrantError):
            grants.refresh(token)
    assert grants.refresh(other)


def test_a_viewer_who_returns_refreshes_and_one_with_a_stale_token_signs_in_again() -> None:
    """A stale token must cost a sign-in and never the stream."""

    async def story() -> list[str]:
        async with open_region() as w:
            await w.visit()
            await w.visit()
            w.room.wallet["v0001/tv"] = "stale"
            await w.visit()
            assert w.starts() == {"success": 3}
            return [
                span.name
                for span in w.spans()
                if span.kind.name == "SERVER"
                and span.resource.attributes["service.name"] == "auth"
                and "jwks" not in span.name
            ]

    assert steady.run(story()) == [
        "POST /authorize", "POST /token",  # first visit
        "POST /token",  # the second refreshes
        "POST /token", "POST /authorize", "POST /token",  # the third is refused, then signs in
    ]  # fmt: skip
