"""Endpoints that are called past the framework: who is called, and how a body is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collectors.errors import DecodeError, OverloadedError, TooLargeError
from collectors.receivers.direct import Direct, header, receive_body
from collectors.receivers.gate import Gate
from collectors.receivers.limits import ReceiverLimits
from collectors.receivers.remote_write import remote_write_routes
from collectors.receivers.testing import FakeStore


class Straight:
    """An endpoint that is an application of its own."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = f"{scope['method']} {'router' in scope}"
        await PlainTextResponse(text)(scope, receive, send)


async def ordinary(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.method} {'router' in request.scope}")


@pytest.fixture(name="app")
def _app() -> ASGIApp:
    routes = [Route("/straight", Straight()), Route("/ordinary", ordinary)]
    return Direct(Starlette(routes=routes), routes)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/straight", 200, "GET False"),
        ("POST", "/straight", 200, "POST False"),
        ("GET", "/ordinary", 200, "GET True"),
        ("POST", "/ordinary", 405, "Method Not Allowed"),
        ("GET", "/straight/", 307, ""),  # the framework sends it to the path it knows
        ("GET", "/else", 404, "Not Found"),
    ],
)
def test_who_answers(app: ASGIApp, method: str, path: str, status: int, text: str) -> None:
    reply = TestClient(app, follow_redirects=False).request(method, path)
    assert (reply.status_code, reply.text) == (status, text)


def read(
    pieces: Sequence[bytes | None], limits: ReceiverLimits | None = None, held: int = 0
) -> bytes:
    """Read a body that arrives in ``pieces``; None stands for a client that goes away."""
    limits = limits or ReceiverLimits()
    waiting = list(pieces)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()  # never comes
        piece = waiting.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": piece != pieces[-1]}

    async def run() -> bytes:
        with Gate(limits).enter() as place:
            place.hold(held)
            return await receive_body(receive, limits, place)

    return asyncio.run(run())


@pytest.mark.parametrize("pieces", [[b""], [b"abc"], [b"ab", b"c", b"de"], [b"", b"abc"]])
def test_a_body_is_read_whole(pieces: list[bytes]) -> None:
    assert read(pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    ("pieces", "limits", "held", "error"),
    [
        ([b"abcd"], {"max_body_bytes": 3}, 0, TooLargeError),
        ([b"ab", b"cd"], {"max_body_bytes": 3}, 0, TooLargeError),
        ([b"ab", None, b""], {}, 0, ClientDisconnect),
        ([b"ab", b"cd"], {"max_in_flight_bytes": 5}, 2, OverloadedError),
    ],
    ids=["too-large", "too-large-together", "gone", "overloaded"],
)
def test_a_body_that_is_not_read(
    pieces: list[bytes | None], limits: dict[str, Any], held: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read(pieces, ReceiverLimits(**limits), held)


def test_a_body_that_never_comes() -> None:
    with pytest.raises(DecodeError, match="did not arrive within 0 s"):
        read([], ReceiverLimits(body_timeout_s=0))


@pytest.mark.parametrize(
    ("name", "value"), [(b"content-type", "a/b"), (b"x", "first"), (b"absent", "")]
)
def test_headers(name: bytes, value: str) -> None:
    scope = {"headers": [(b"content-type", b"a/b"), (b"x", b"first"), (b"x", b"second")]}
    assert header(scope, name) == value


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_remote_write_wants_a_post(method: str) -> None:
    routes = remote_write_routes(FakeStore())
    reply = TestClient(Direct(Starlette(routes=routes), routes)).request(method, "/api/v1/write")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
