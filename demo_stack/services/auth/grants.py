"""OAuth 2 for devices that can't keep a secret: authorisation code with PKCE, and refresh tokens.

RFC 6749 (§4.1, §6), RFC 7636 (S256 only), and the refresh-token rotation of RFC 9700 §4.14: a
code and a refresh token work once; using one again ends the whole family, for one of the two users
stole it.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.oauth import challenge_of

CODE_LIFE_S = 60
REFRESH_LIFE_S = 86_400
REMEMBERED = 10_000
MIN_VERIFIER, MAX_VERIFIER = 43, 128
"""Length of a code verifier (RFC 7636, §4.1)."""


class GrantError(ServiceError):
    """A grant is refused; the message is the error code of RFC 6749 §5.2."""

    def __init__(self, code: str) -> None:
        super().__init__(code, status=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What was allowed to whom.

    Attributes:
        viewer: The account.
        device: What it signed in on.
        challenge: PKCE code challenge; empty for a refresh token.
        expires_s: When it ends, epoch seconds.
        family: Joins a refresh token with those before it.
    """

    viewer: str
    device: str
    challenge: str = ""
    expires_s: float = 0.0
    family: str = ""


class Grants:
    """Codes and refresh tokens that are still to be used.

    Args:
        rng: Makes them; a real one would be cryptographic.
        now_s: The present, epoch seconds.
    """

    def __init__(self, rng: Random, now_s: Callable[[], float]) -> None:
        self._rng = rng
        self._now_s = now_s
        self._codes: OrderedDict[str, Grant] = OrderedDict()
        self._refresh: OrderedDict[str, Grant] = OrderedDict()
        self._used: OrderedDict[str, str] = OrderedDict()

    def authorise(self, viewer: str, device: str, challenge: str, method: str) -> str:
        """Return a code for a viewer who signed in.

        Raises:
            GrantError: No account, or a challenge that is not S256.
        """
        if not viewer or method != "S256" or len(challenge) != 43:
            raise GrantError("invalid_request")
        grant = Grant(
            viewer=viewer,
            device=device,
            challenge=challenge,
            expires_s=self._now_s() + CODE_LIFE_S,
            family=self._secret(),
        )
        return self._keep(self._codes, grant)

    def redeem(self, code: str, verifier: str) -> Grant:
        """Return what a code grants; it works once.

        Raises:
            GrantError: An unknown, used or old code, or another verifier than was promised.
        """
        if code in self._used:
            self._end_family(self._used[code])
        grant = self._codes.pop(code, None)
        if grant is None or grant.expires_s < self._now_s():
            raise GrantError("invalid_grant")
        self._used[code] = grant.family
        _bound(self._used)
        proven = hmac.compare_digest(challenge_of(verifier), grant.challenge)
        if not proven or not MIN_VERIFIER <= len(verifier) <= MAX_VERIFIER:
            raise GrantError("invalid_grant")
        return grant

    def refresh_token(self, grant: Grant) -> str:
        """Return a refresh token for a grant."""
        renewed = Grant(
            viewer=grant.viewer,
            device=grant.device,
            expires_s=self._now_s() + REFRESH_LIFE_S,
            family=grant.family,
        )
        return self._keep(self._refresh, renewed)

    def refresh(self, token: str) -> Grant:
        """Return what a refresh token grants; it works once.

        Raises:
            GrantError: An unknown, old or used token; a used one ends its whole family.
        """
        if token in self._used:
            self._end_family(self._used[token])
            raise GrantError("invalid_grant")
        grant = self._refresh.pop(token, None)
        if grant is None or grant.expires_s < self._now_s():
            raise GrantError("invalid_grant")
        self._used[token] = grant.family
        _bound(self._used)
        return grant

    def _end_family(self, family: str) -> None:
        for token in [t for t, grant in self._refresh.items() if grant.family == family]:
            del self._refresh[token]

    def _keep(self, where: OrderedDict[str, Grant], grant: Grant) -> str:
        secret = self._secret()
        where[secret] = grant
        _bound(where)
        return secret

    def _secret(self) -> str:
        return f"{self._rng.getrandbits(256):064x}"


def _bound(kept: OrderedDict[str, Grant] | OrderedDict[str, str]) -> None:
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
