"""The keys that titles are encrypted with: made once, asked for by the encoder and by licences."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentKey:
    """An AES-128 key and its public name.

    Attributes:
        kid: Names the key, 16 bytes.
        key: The key itself, 16 bytes; never shown.
    """

    kid: bytes
    key: bytes = field(repr=False)

    def as_jwk(self) -> dict[str, str]:
        """Return the key as a Clear Key licence holds it (W3C Encrypted Media Extensions, 9.1)."""
        return {"kty": "oct", "kid": _base64url(self.kid), "k": _base64url(self.key)}


class KeyVault:
    """Knows the key of every title.

    Args:
        seed: The platform's seed, which every key follows from: a real vault would keep random
            ones in hardware.
    """

    def __init__(self, seed: int) -> None:
        self._secret = hashlib.sha256(f"vault/{seed}".encode()).digest()

    def key_of(self, title: str) -> ContentKey:
        """Return the key of a title, the same every time."""
        return ContentKey(kid=self._derive("kid", title), key=self._derive("key", title))

    def _derive(self, what: str, title: str) -> bytes:
        derived = hmac.digest(self._secret, f"{what}/{title}".encode(), "sha256")
        return derived[:KEY_BYTES]


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
