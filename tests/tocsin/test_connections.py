"""Connections that keep a server waiting: each ends by its deadline, none locks others out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from collectors.limits import Limits
from tocsin.connections import Connections, open_file_limit, raise_file_limit
from tocsin.sockets import embedded_server, listen_tcp, port_of

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ENDLESS = b"GET /?endless HTTP/1.1\r\nHost: a\r\n\r\n"
# The protocol gives a receiver five seconds more, so that it may answer first.
SOON = Limits(header_timeout_s=0.2, body_timeout_s=-4.8, write_timeout_s=0.2)


BUSY, GO_ON = threading.Event(), threading.Event()


async def _answer(request: Request) -> Response:
    if "freeze" in request.query_params:
        BUSY.set()
        GO_ON.wait(10)
    if "endless" in request.query_params:
        return StreamingResponse(iter([b"x" * 65_536] * 400))
    return PlainTextResponse(str(len(await request.body())))


@contextmanager
def served(limits: Limits) -> Iterator[tuple[int, Connections]]:
    """Serve in a thread; yield the port and the register of connections."""
    register = Connections(limits=limits, files=10_000)
    sock = listen_tcp("127.0.0.1", 0, "PORT")
    app = Starlette(routes=[Route("/", _answer, methods=["GET", "POST"])])
    server = embedded_server(app, register)
    thread = threading.Thread(target=partial(server.run, sockets=[sock]))
    thread.start()
    try:
        yield port_of(sock), register
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


def connect(port: int, sent: bytes = b"") -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    one.settimeout(10)
    one.connect(("127.0.0.1", port))
    one.sendall(sent)
    return one


def answered(one: socket.socket) -> bool:
    """Return whether a whole answer comes."""
    found = b""
    while not found.endswith(b"\r\n\r\n0"):
        piece = one.recv(1_000)
        if not piece:
            return False
        found += piece
    return b" 200 OK" in found


def rest_of(one: socket.socket) -> bytes:
    """Return what comes until the server closes; time out if it never does."""
    found = b""
    with suppress(ConnectionResetError):
        while piece := one.recv(65_536):
            found += piece
    one.close()
    return found


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "head"),
        (b"GET / HT", "head"),
        (HEAD, "head"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc", "body"),
        (GET + b"GET / H", "head"),
    ],
)
def test_whoever_does_not_go_on_is_cut_off(sent: bytes, reason: str) -> None:
    """A thousand such would be all the connections there are."""
    with served(SOON) as (port, register):
        rest_of(connect(port, sent))

        assert register.timed_out == {reason: 1}
        assert register.open == 0


def test_whoever_does_not_read_is_cut_off() -> None:
    """An event stream that nobody reads would keep its slot for ever."""
    with served(SOON) as (port, register):
        one = connect(port, ENDLESS)
        for _ in range(20):  # each for as long as the deadline of a head
            if register.timed_out["reader"]:
                break
            rest_of(connect(port))
        one.close()

        assert register.timed_out["reader"] == 1


def test_a_head_without_end_is_refused() -> None:
    """It would fill the memory."""
    with served(Limits(max_header_bytes=10_000)) as (port, _):
        one = connect(port, b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):
            one.sendall((b"X: " + b"a" * 8_000 + b"\r\n") * 10_000)
        one.close()


def test_idle_connections_make_room_the_silent_ones_first() -> None:
    """Idle sockets would lock everybody out, or honest clients be thrown out for them."""
    limits = Limits(max_connections=16, max_peer_connections=16)
    with served(limits) as (port, register):
        honest = connect(port, GET)
        assert answered(honest)
        held = [connect(port) for _ in range(30)]
        assert rest_of(held[0]) == b""  # in its place another was taken in
        honest.sendall(GET)

        assert answered(honest)
        assert register.open <= register.most == 16
        for one in (honest, *held[1:]):
            one.close()


def test_who_has_just_spoken_is_not_idle() -> None:
    """A crowd that comes in the same moment would throw out a request that nobody has read yet."""
    limits = Limits(max_connections=16, max_peer_connections=16)
    with served(limits) as (port, register):
        freezer = connect(port, GET.replace(b"/ ", b"/?freeze "))
        assert BUSY.wait(10)
        honest = connect(port, GET)
        held = [connect(port) for _ in range(30)]
        GO_ON.set()

        assert answered(honest)
        assert register.evicted > 0
        for one in (freezer, honest, *held):
            one.close()


def test_as_many_files_may_be_open_as_the_system_lets_us() -> None:
    """A soft limit of 1,024 would be reached by idle sockets alone."""
    assert raise_file_limit() == open_file_limit() > 0
