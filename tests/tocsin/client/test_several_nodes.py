"""A client that knows several nodes asks the next where one can't be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tocsin.client.errors import UnreachableError
from tocsin.client.transport import Transport


class _Node(BaseHTTPRequestHandler):
    """Answers by the port it has; hangs up where it is told to."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []
    hangs_up: ClassVar[set[int]] = set()

    def _answer(self) -> None:
        port = int(self.connection.getsockname()[1])
        self.asked.append(f"{self.command} {port}")
        if port in self.hangs_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b'{"port": %d}' % port
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - so the base class calls them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="ports")
def _ports() -> Iterator[tuple[int, int]]:
    """Two nodes."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Node) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    _Node.asked.clear()
    _Node.hangs_up.clear()
    yield servers[0].server_address[1], servers[1].server_address[1]
    for server in servers:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def over(*ports: int) -> Transport:
    """Return what asks at these ports."""
    return Transport(",".join(f"http://127.0.0.1:{port}/" for port in ports), timeout_s=5)


def test_the_next_is_asked_and_stays(ports: tuple[int, int]) -> None:
    """The war room would end with the node that it happened to ask."""
    transport = over(closed_port(), *ports)
    assert [transport.get("/")["port"] for _ in range(2)] == [ports[0]] * 2
    assert transport.base_url.endswith(str(ports[0]))
    assert transport.post("/", {})["port"] == ports[0]
    transport.close()


def test_what_may_have_been_done_is_not_asked_for_twice(ports: tuple[int, int]) -> None:
    """Somebody would be paged twice; but the next click reaches who is there."""
    _Node.hangs_up.add(ports[0])
    transport = over(*ports)
    with pytest.raises(UnreachableError):
        transport.post("/", {})
    assert _Node.asked == [f"POST {ports[0]}"]
    assert transport.post("/", {})["port"] == ports[1]
    transport.close()


def test_reading_goes_on_at_the_next(ports: tuple[int, int]) -> None:
    """A page would fail for a tick although a node could answer."""
    _Node.hangs_up.add(ports[0])
    transport = over(*ports)
    assert transport.get("/")["port"] == ports[1]
    transport.close()


def test_nobody_there_is_said_of_who_was_asked_last() -> None:
    """Each is tried once, and no more."""
    first, second = closed_port(), closed_port()
    transport = over(first, second)
    with pytest.raises(UnreachableError, match=f"{second} can't be reached"):
        transport.get("/")
    transport.close()
