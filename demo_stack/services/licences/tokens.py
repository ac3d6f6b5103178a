"""Licence tokens: signed, short-lived, bound to a title, a device and a session."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey

from demo_stack.chassis.errors import PlatformError

LIFE_S = 120
"""How long a licence is good, in seconds: two hours of the platform's compressed time."""

MAX_RENEWALS = 12
MAX_TOKEN_LENGTH = 2_000


class Refusal(StrEnum):
    """Why a licence is not good."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad-signature"
    EXPIRED = "expired"
    WRONG_TITLE = "wrong-title"
    WRONG_DEVICE = "wrong-device"
    WRONG_SESSION = "wrong-session"
    RENEWED_TOO_OFTEN = "renewed-too-often"


class LicenceRefusedError(PlatformError):
    """A licence is not good for what it is used for.

    Args:
        reason: Why.
    """

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"licence refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a licence is good for.

    Attributes:
        title: What may be played.
        device: On what.
        session: In which session.
    """

    title: str
    device: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a token says.

    Attributes:
        binding: What it is good for.
        exp: When it ends, in epoch seconds.
        renewals: How often it was renewed.
    """

    binding: Binding
    exp: int
    renewals: int = 0


class Licensor:
    """Signs licences and looks them over.

    Args:
        seed: The platform's seed, which its key follows from: a real one would fetch it from a
            vault.
        now_s: The present, in epoch seconds.
    """

    def __init__(self, seed: int, now_s: Callable[[], float] = time.time) -> None:
        secret = hashlib.sha256(f"licences/{seed}".encode()).digest()
        self._key = OctKey.import_key(secret)
        self._now_s = now_s

    def issue(self, binding: Binding) -> tuple[str, Licence]:
        """Return a new token and what it says."""
        return self._signed(Licence(binding=binding, exp=int(self._now_s()) + LIFE_S))

    def verify(self, token: str, binding: Binding) -> Licence:
        """Return what a token says.

        Raises:
            LicenceRefusedError: It is not good for this; the reason says why.
        """
        licence = self._read(token)
        if licence.exp <= self._now_s():
            raise LicenceRefusedError(Refusal.EXPIRED)
        for name, reason in (
            ("title", Refusal.WRONG_TITLE),
            ("device", Refusal.WRONG_DEVICE),
            ("session", Refusal.WRONG_SESSION),
        ):
            if getattr(licence.binding, name) != getattr(binding, name):
                raise LicenceRefusedError(reason)
        return licence

    def renew(self, token: str, binding: Binding) -> tuple[str, Licence]:
        """Return a token that is good for longer.

        Raises:
            LicenceRefusedError: The token is not good any more, or was renewed too often.
        """
        licence = self.verify(token, binding)
        if licence.renewals >= MAX_RENEWALS:
            raise LicenceRefusedError(Refusal.RENEWED_TOO_OFTEN)
        exp = int(self._now_s()) + LIFE_S
        return self._signed(replace(licence, exp=exp, renewals=licence.renewals + 1))

    def _signed(self, licence: Licence) -> tuple[str, Licence]:
        claims = {**asdict(licence.binding), "exp": licence.exp, "renewals": licence.renewals}
        return jwt.encode({"alg": "HS256"}, claims, self._key), licence

    def _read(self, token: str) -> Licence:
        if len(token) > MAX_TOKEN_LENGTH:
            raise LicenceRefusedError(Refusal.MALFORMED)
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            return Licence(
                binding=Binding(
                    title=claims["title"], device=claims["device"], session=claims["session"]
                ),
                exp=int(claims["exp"]),
                renewals=int(claims["renewals"]),
            )
        except BadSignatureError as error:
            raise LicenceRefusedError(Refusal.BAD_SIGNATURE) from error
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise LicenceRefusedError(Refusal.MALFORMED) from error
