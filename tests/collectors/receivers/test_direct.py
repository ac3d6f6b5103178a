"""Endpoints that are called past the framework: who is called."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from collectors.receivers.direct import Direct
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.testing.fakes import FakeStore


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
    """The short way of remote write would take other requests, or miss its own."""
    reply = TestClient(app, follow_redirects=False).request(method, path)
    assert (reply.status_code, reply.text) == (status, text)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_remote_write_wants_a_post(method: str) -> None:
    """A health check by GET would be answered as if it were data."""
    routes = remote_write_routes(FakeStore())
    reply = TestClient(Direct(Starlette(routes=routes), routes)).request(method, "/api/v1/write")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
