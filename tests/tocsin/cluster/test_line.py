"""The line to the other node: kept open, encrypted where its address says so, honest when cut."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tocsin.access.test_encryption import made
from tocsin.cluster.mirror.line import Line, LineError

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the same bytes, so many on one connection."""

    def __init__(self, answer: bytes = ANSWER, *, requests: int = 100) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self._answer = answer
        self._requests = requests

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        self.writers.append(writer)
        for _ in range(self._requests):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.heads.append(head)
            writer.write(self._answer)
            await writer.drain()
        writer.close()


Act = Callable[[str], Awaitable[None]]


def served(server: Server, act: Act, context: ssl.SSLContext | None = None) -> None:
    """Act with the address of ``server``."""

    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
        port = listening.sockets[0].getsockname()[1]
        try:
            await act(f"http{'s' if context else ''}://127.0.0.1:{port}")
        finally:
            listening.close()
            for writer in server.writers:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    asyncio.run(main())


def test_one_connection_serves_many_requests() -> None:
    """Each copy would cost a connection, and on a distant network a round more."""
    server = Server()

    async def act(url: str) -> None:
        line = Line(url, "Bearer shh")
        for _ in range(3):
            assert await line.post("/a?b=c", [(b"x-one", b"1")], b"body") == (202, b"ok")
        await line.close()

    served(server, act)
    assert server.connections == 1
    assert server.heads[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"authorization: Bearer shh\r\n" in server.heads[0]
    assert b"x-one: 1\r\n" in server.heads[0]


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    """Each idle minute would cost a copy, and have the other node taken for dead."""
    server = Server(requests=1)

    async def act(url: str) -> None:
        line = Line(url)
        for _ in range(3):
            assert (await line.post("/", [], b""))[0] == 202
        await line.close()

    served(server, act)
    assert server.connections == 3


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n", ANSWER[:-1]], ids=str)
def test_half_an_answer_is_none(answer: bytes) -> None:
    """A copy whose answer was cut would count as brought."""

    async def act(url: str) -> None:
        line = Line(url)
        with pytest.raises(LineError):
            await line.post("/", [], b"")
        await line.close()

    served(Server(answer, requests=1), act)


def test_an_answer_without_a_length_ends_the_connection() -> None:
    """The next answer would begin amid this one."""

    async def act(url: str) -> None:
        line = Line(url)
        assert await line.post("/", [], b"") == (204, b"")
        assert await line.post("/", [], b"") == (204, b"")
        await line.close()

    server = Server(b"HTTP/1.1 204 No Content\r\n\r\n")
    served(server, act)
    assert server.connections == 2


def test_the_line_is_encrypted_and_verified(tmp_path: Path) -> None:
    """Whoever stands between two machines would read, or be, the other node."""
    chain, key = made(tmp_path)
    stranger, _ = made(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    async def act(url: str) -> None:
        line = Line(url, certificates=ssl.create_default_context(cafile=str(chain)))
        assert (await line.post("/", [], b"x"))[0] == 202
        await line.close()
        other = Line(url, certificates=ssl.create_default_context(cafile=str(stranger)))
        with pytest.raises(LineError, match="certificate verify failed"):
            await other.post("/", [], b"x")

    served(Server(), act, context)


def test_nobody_there_is_said() -> None:
    """Who looks for why there is one copy would find no reason."""

    async def main() -> None:
        with pytest.raises(LineError, match=re.escape("127.0.0.1:1")):
            await Line("http://127.0.0.1:1").post("/", [], b"")

    asyncio.run(main())
