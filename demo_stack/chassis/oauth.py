"""What both ends of a sign-in agree on: auth, who verifies its tokens, and who signs in."""

from __future__ import annotations

import base64
import hashlib

ISSUER = "https://auth.demo.example"
"""``iss`` of every token."""


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
