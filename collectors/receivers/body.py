"""Request bodies, read and decompressed within a limit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterable

from collectors.errors import DecodeError, TooLargeError, UnsupportedError

_PIECE = 1 << 20


async def read_body(chunks: AsyncIterable[bytes], limit: int) -> bytes:
    """Return the whole body; raise :class:`TooLargeError` as soon as it passes ``limit`` bytes."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes; send smaller batches")
    return bytes(body)


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a ``Content-Encoding`` without ever holding more than ``limit`` bytes.

    Args:
        body: The body as received.
        encoding: The header's value; empty and ``identity`` mean none.
        limit: Most bytes after decompression.

    Raises:
        UnsupportedError: The encoding is neither gzip, deflate nor identity.
        DecodeError: The bytes are not what the encoding says.
        TooLargeError: It would become larger than ``limit``.
    """
    match encoding.strip().lower():
        case "" | "identity" | "none":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, 16 + zlib.MAX_WBITS, limit)
        case "deflate" | "zlib":
            return _inflate(body, zlib.MAX_WBITS, limit)
    raise UnsupportedError(
        f"content encoding {encoding[:40]!r} is not spoken here; use gzip or identity"
    )


def _inflate(body: bytes, window_bits: int, limit: int) -> bytes:
    result = bytearray()
    remaining = body
    try:
        while remaining:
            stream = zlib.decompressobj(window_bits)
            while not stream.eof:
                piece = stream.decompress(remaining, _PIECE)
                remaining = stream.unconsumed_tail
                result += piece
                if len(result) > limit:
                    raise TooLargeError(
                        f"the body is larger than {limit} bytes after decompression"
                    )
                if not piece and not remaining and not stream.eof:
                    raise DecodeError(f"the compressed body of {len(body)} bytes is cut short")
            remaining = stream.unused_data
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DecodeError(f"the body is not what its content encoding says: {error}") from error
    return bytes(result)
