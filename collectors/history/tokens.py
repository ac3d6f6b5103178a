"""What tells one batch of rows from all others, the same in every process and after a restart."""

from __future__ import annotations

import hashlib

_BYTES = 16


def token_of(*parts: str | bytes) -> str:
    """Return the token of a batch: of its table, what identifies it, and its rows.

    Parts are told apart: what two of them have between them makes a difference.

    >>> token_of("otel_logs", b"7", b"rows") == token_of("otel_logs", b"7", b"rows")
    True
    >>> token_of("otel_logs", b"7r", b"ows") == token_of("otel_logs", b"7", b"rows")
    False
    """
    digest = hashlib.blake2b(digest_size=_BYTES)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()
