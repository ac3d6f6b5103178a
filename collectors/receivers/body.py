"""Request bodies, read and decompressed within a limit."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterable, Callable

from starlette.requests import Request

from collectors.errors import DecodeError, TooLargeError, UnsupportedError
from collectors.limits import Limits
from collectors.receivers.gate import Place

Hold = Callable[[int], None]

BODY_TIMEOUT_S = 30.0
_PIECE = 1 << 20
# What is left behind a stream's end is copied, so little is given at once.
_INPUT = 16 << 10
# Parallel compressors write one for every 64 KiB or more.
MAX_MEMBERS = 4_096


def _ignore(count: int) -> None:
    del count


async def read_body(chunks: AsyncIterable[bytes], limit: int, hold: Hold = _ignore) -> bytes:
    """Return the whole body; raise :class:`TooLargeError` as soon as it passes ``limit`` bytes.

    Args:
        chunks: The body as it arrives.
        limit: Most bytes.
        hold: Told of every chunk; may raise to refuse it.
    """
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes; send less at once")
        hold(len(chunk))
        body += chunk
    return bytes(body)


async def request_body(
    request: Request, limit: int, *, timeout_s: float = BODY_TIMEOUT_S, hold: Hold = _ignore
) -> bytes:
    """Return a request's body as sent, within a limit on size and time.

    Args:
        request: The request.
        limit: Most bytes.
        timeout_s: How long all of it may take to arrive, seconds.
        hold: Told of every chunk; may raise to refuse it.

    Raises:
        TooLargeError: It is larger than ``limit``.
        DecodeError: It did not arrive in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await read_body(request.stream(), limit, hold)
    except TimeoutError as error:
        raise DecodeError(f"the body did not arrive within {timeout_s:g} s; send faster") from error


async def receive(request: Request, limits: Limits, place: Place) -> bytes:
    """Return a request's body as sent, within the limits on size, time and what all hold together.

    Raises:
        TooLargeError: It is larger than ``max_body_bytes``.
        DecodeError: It did not arrive within ``body_timeout_s``.
        OverloadedError: All requests together hold too many bytes.
    """
    most, timeout_s = limits.max_body_bytes, limits.body_timeout_s
    return await request_body(request, most, timeout_s=timeout_s, hold=place.hold)


def decompress(body: bytes, encoding: str, limit: int, hold: Hold = _ignore) -> bytes:
    """Undo a ``Content-Encoding`` without ever holding more than ``limit`` bytes.

    Args:
        body: The body as received.
        encoding: The header's value; empty and ``identity`` mean none.
        limit: Most bytes after decompression.
        hold: Told of every decompressed piece; may raise to refuse it.

    Raises:
        UnsupportedError: The encoding is neither gzip, deflate nor identity.
        DecodeError: The bytes are not what the encoding says.
        TooLargeError: It would become larger than ``limit``.
    """
    match encoding.strip().lower():
        case "" | "identity" | "none":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, 16 + zlib.MAX_WBITS, limit, hold)
        case "deflate" | "zlib":
            return _inflate(body, zlib.MAX_WBITS, limit, hold)
    raise UnsupportedError(
        f"content encoding {encoding[:40]!r} is not spoken here; use gzip or identity"
    )


def _inflate(body: bytes, window_bits: int, limit: int, hold: Hold) -> bytes:
    result = bytearray()
    view, at, members = memoryview(body), 0, 0
    try:
        while at < len(body):
            members += 1
            if members > MAX_MEMBERS:
                raise TooLargeError(f"the body is more than {MAX_MEMBERS} compressed streams")
            stream = zlib.decompressobj(window_bits)
            while not stream.eof:
                given = view[at : at + _INPUT]
                piece = stream.decompress(given, _PIECE)
                at += len(given) - len(stream.unused_data or stream.unconsumed_tail)
                if len(result) + len(piece) > limit:
                    raise TooLargeError(
                        f"the body is larger than {limit} bytes after decompression"
                    )
                hold(len(piece))
                result += piece
                if not piece and not given and not stream.eof:
                    raise DecodeError(f"the compressed body of {len(body)} bytes is cut short")
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DecodeError(f"the body is not what its content encoding says: {error}") from error
    return bytes(result)
