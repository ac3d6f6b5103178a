"""A line to the other node: HTTP/1.1 over connections that stay open, as small as it can be.

A general client takes half a millisecond of CPU a request, which is half of what it takes to store
ten thousand samples. This one knows our own server: answers have a length and little in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

from collectors.errors import TocsinError

MAX_IDLE = 16
"""Connections that stay open while nothing is sent."""

_MAX_HEAD_BYTES = 64 * 1024
_MAX_ANSWER_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_MAX_CLOSE_S = 1.0
_VERSION = b"HTTP/1.1 "


class LineError(TocsinError):
    """The other node can't be reached, or answers nothing that can be read."""


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.used = False


class Line:
    """Connections to one address; used by one event loop.

    Args:
        url: Scheme, host and port.
        authorization: Header that is sent along.
        certificates: What verifies the other's; None: those that the machine trusts.
    """

    def __init__(
        self, url: str, authorization: str = "", certificates: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host = parts.hostname or ""
        secure = parts.scheme == "https"
        self._port = parts.port or (443 if secure else 80)
        self._ssl = (certificates or ssl.create_default_context()) if secure else None
        self._head = f"host: {parts.netloc}\r\nauthorization: {authorization}\r\n".encode("latin-1")
        self._idle: list[_Connection] = []

    async def post(
        self, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        """Send one request; return the answer's status and body.

        Raises:
            LineError: Nobody is there, or the connection broke.
        """
        sent = b"".join((name + b": " + value + b"\r\n") for name, value in headers)
        length = b"content-length: %d\r\n\r\n" % len(body)
        head = b"".join(
            (b"POST ", target.encode("latin-1"), b" HTTP/1.1\r\n", self._head, sent, length)
        )
        while True:
            connection = self._idle.pop() if self._idle else await self._open()
            try:
                answer = await self._ask(connection, head, body)
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                connection.writer.close()
                if connection.used:  # it was closed while nothing was sent
                    continue
                raise LineError(f"{self.url}: {error or type(error).__name__}") from error
            except asyncio.CancelledError:
                connection.writer.close()
                raise
            return answer

    async def close(self) -> None:
        """Close what is open."""
        writers = [connection.writer for connection in self._idle]
        self._idle.clear()
        for writer in writers:
            writer.close()
        for writer in writers:
            with contextlib.suppress(OSError, TimeoutError):  # it is closed in its own time
                async with asyncio.timeout(_MAX_CLOSE_S):
                    await writer.wait_closed()
        await asyncio.sleep(0)  # those that broke are closed as well

    async def _open(self) -> _Connection:
        try:
            reader, writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._ssl, limit=_MAX_HEAD_BYTES
            )
        except (OSError, ssl.SSLError) as error:
            raise LineError(f"{self.url}: {error}") from error
        return _Connection(reader, writer)

    async def _ask(self, connection: _Connection, head: bytes, body: bytes) -> tuple[int, bytes]:
        reader, writer = connection.reader, connection.writer
        if len(body) <= _CHUNK_BYTES:
            writer.write(head + body)
            await writer.drain()
        else:
            writer.write(head)
            for at in range(0, len(body), _CHUNK_BYTES):
                writer.write(body[at : at + _CHUNK_BYTES])
                await writer.drain()
        told = await reader.readuntil(b"\r\n\r\n")
        first, *lines = told.split(b"\r\n")
        status = int(first[len(_VERSION) : len(_VERSION) + 3])
        fields = {
            k.strip().lower(): v.strip() for k, _, v in (one.partition(b":") for one in lines)
        }
        length = fields.get(b"content-length")
        if length is None or int(length) > _MAX_ANSWER_BYTES:
            writer.close()
            return status, b""
        answer = await reader.readexactly(int(length))
        connection.used = True
        if fields.get(b"connection", b"").lower() == b"close" or len(self._idle) >= MAX_IDLE:
            writer.close()
        else:
            self._idle.append(connection)
        return status, answer
