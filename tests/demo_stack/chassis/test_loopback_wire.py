"""The lean HTTP transport on real sockets: kept, stale, cut, silent, refused connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from demo_stack.chassis.network import PortTakenError, SocketNetwork
from demo_stack.chassis.wire import LoopbackTransport

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A:  b \r\n\r\nok"


class Server:
    """Accepts connections and lets ``answer`` deal with each."""

    def __init__(self, answer: Serve) -> None:
        self.accepted = 0
        self._answer = answer

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            await self._answer(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    def request(self, **timeout: float) -> httpx2.Request:
        return httpx2.Request(
            "POST",
            f"http://127.0.0.1:{self.port}/a?b=c",
            json={"d": 1},
            extensions={"timeout": timeout},
        )


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(7)
    writer.write(OK)
    await writer.drain()
    return head + body


def test_a_connection_is_kept_and_the_request_is_whole() -> None:
    """A connection for every call would cost more than the services do."""
    received = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            received.append(await _one(reader, writer))

    async def story() -> int:
        async with Server(answer) as server:
            transport = LoopbackTransport()
            for _ in range(3):
                response = await transport.handle_async_request(server.request())
                assert (response.status_code, response.content) == (200, b"ok")
                assert response.headers["x-a"] == "b"
            await transport.aclose()
            return server.accepted

    assert asyncio.run(story()) == 1
    assert received[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert received[0].endswith(b'{"d":1}')


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    """A restarted instance would fail the first call of everybody."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _one(reader, writer)
        await reader.readuntil(b"\r\n\r\n")  # the next request gets no answer

    async def story() -> int:
        async with Server(answer) as server:
            transport = LoopbackTransport()
            for _ in range(3):
                await transport.handle_async_request(server.request())
            await transport.aclose()
            return server.accepted

    assert asyncio.run(story()) == 3


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


async def _hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.read()
    await reader.read()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_cut, httpx2.RemoteProtocolError),
        (_hang_up, httpx2.RemoteProtocolError),
        (_silence, httpx2.ReadTimeout),
    ],
)
def test_an_answer_that_is_not_whole_is_an_error(answer: Serve, error: type[Exception]) -> None:
    """Half an answer must never be taken for one."""

    async def story() -> None:
        async with Server(answer) as server:
            transport = LoopbackTransport()
            with pytest.raises(error):
                await transport.handle_async_request(server.request(read=0.1))
            await transport.aclose()

    asyncio.run(story())


def test_nobody_listening_is_a_connect_error() -> None:
    """Callers retry what never arrived, and only that: they must be able to tell."""

    async def story() -> None:
        async with Server(_silence) as server:
            request = server.request()
        with pytest.raises(httpx2.ConnectError):
            await LoopbackTransport().handle_async_request(request)

    asyncio.run(story())


def test_a_port_that_is_taken_is_named() -> None:
    """A port that is taken must be said, with its number."""

    async def story() -> None:
        async with Server(_silence) as server:
            with pytest.raises(PortTakenError, match=str(server.port)):
                await SocketNetwork().listen(Starlette(), server.port)

    asyncio.run(story())


def test_answers_of_a_real_server_do_not_wait_for_an_acknowledgement() -> None:
    """Nagle's algorithm and delayed acknowledgements would add 40 ms to calls."""

    async def story() -> list[float]:
        network, transport = SocketNetwork(), LoopbackTransport()
        app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("fine"))])
        request = httpx2.Request("GET", await network.listen(app) + "/")
        await transport.handle_async_request(request)
        taken_s = []
        for _ in range(40):
            started = time.perf_counter()
            await transport.handle_async_request(request)
            taken_s.append(time.perf_counter() - started)
        await transport.aclose()
        await network.close()
        return taken_s

    # Every one would wait; on a machine that is busy with other things some may.
    assert sorted(asyncio.run(story()))[10] < 0.04
