"""HTTP/1.1 over loopback, as lean as calls between neighbours need.

The general pool of the HTTP client looks at every connection on every request; with a dozen
services in one process that costs more than the services do. Here each origin has its own stack of
idle connections. Servers on the other side are ours and always send ``Content-Length``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2

IDLE_PER_ORIGIN = 16
MAX_HEAD_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    reused: bool


class LoopbackTransport(httpx2.AsyncBaseTransport):
    """Sends requests over kept connections; a stale one is replaced once."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[_Connection]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request`` and read the whole answer."""
        limits = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(limits.get("read")):
                return await self._exchange(request, limits.get("connect"))
        except TimeoutError as error:
            raise httpx2.ReadTimeout("no answer in time", request=request) from error
        except OSError as error:
            raise httpx2.ReadError(str(error), request=request) from error

    async def aclose(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for connection in idle:
                connection.writer.close()
        self._idle.clear()

    async def _exchange(self, request: httpx2.Request, connect_s: float | None) -> httpx2.Response:
        origin = (request.url.host, request.url.port or 80)
        message = _encode(request)
        while True:
            connection = await self._connect(origin, request, connect_s)
            try:
                connection.writer.write(message)
                response, keep = await _read(connection.reader)
            except asyncio.IncompleteReadError as error:
                connection.writer.close()
                # A server may close a kept connection at any time: that says nothing of it now.
                if connection.reused and not error.partial:
                    continue
                raise httpx2.RemoteProtocolError("answer cut short", request=request) from error
            except BaseException:
                connection.writer.close()
                raise
            self._keep(origin, connection, keep=keep)
            return response

    async def _connect(
        self, origin: tuple[str, int], request: httpx2.Request, limit_s: float | None
    ) -> _Connection:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.reader.at_eof():
                return connection
            connection.writer.close()
        try:
            async with asyncio.timeout(limit_s):
                reader, writer = await asyncio.open_connection(*origin, limit=MAX_HEAD_BYTES)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout("no connection in time", request=request) from error
        except OSError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        return _Connection(reader, writer, reused=False)

    def _keep(self, origin: tuple[str, int], connection: _Connection, *, keep: bool) -> None:
        idle = self._idle.setdefault(origin, [])
        if keep and len(idle) < IDLE_PER_ORIGIN:
            idle.append(_Connection(connection.reader, connection.writer, reused=True))
        else:
            connection.writer.close()


def _encode(request: httpx2.Request) -> bytes:
    start = b"%b %b HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path)
    head = b"".join(b"%b: %b\r\n" % header for header in request.headers.raw)
    return start + head + b"\r\n" + request.content


async def _read(reader: asyncio.StreamReader) -> tuple[httpx2.Response, bool]:
    """Return the answer and whether the connection may be kept."""
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head[:-4].split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    status = int(start.split(b" ", 2)[1])
    known = {name.lower(): value for name, value in headers}
    body = await reader.readexactly(int(known.get(b"content-length", b"0")))
    response = httpx2.Response(status, headers=headers, content=body)
    return response, known.get(b"connection", b"").lower() != b"close"
