"""Pages of others, and names that are not ours, change nothing; programs are not concerned."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tocsin.same_site import OwnNames, SameSite, refusal

NAMES = OwnNames(["127.0.0.1", "api.example.org"], ["tocsin.example.org", "*.svc.cluster.local"])


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        # Programs.
        ({"host": "127.0.0.1:7101"}, False),
        ({"host": "localhost:7101"}, False),
        ({"host": "[::1]:7101"}, False),
        ({"host": "10.1.2.3:7101"}, False),
        ({"host": "tocsin:7101"}, False),
        ({"host": "tocsin.monitoring.svc.cluster.local:7101"}, False),
        ({"host": "api.example.org"}, False),
        ({}, False),
        # Our own pages.
        ({"host": "127.0.0.1:7101", "origin": "http://127.0.0.1:7101"}, False),
        ({"host": "tocsin.example.org", "origin": "https://tocsin.example.org"}, False),
        ({"host": "127.0.0.1:7101", "origin": "https://tocsin.example.org"}, False),
        ({"host": "127.0.0.1:7101", "sec-fetch-site": "same-origin"}, False),
        # Pages of others.
        ({"host": "127.0.0.1:7101", "origin": "https://evil.example"}, True),
        ({"host": "127.0.0.1:7101", "origin": "http://127.0.0.1:3000"}, True),
        ({"host": "127.0.0.1:7101", "origin": "http://localhost:7101"}, True),
        ({"host": "127.0.0.1:7101", "origin": "null"}, True),
        ({"host": "127.0.0.1:7101", "origin": ""}, True),
        ({"host": "127.0.0.1:7101", "origin": "http://[bad"}, True),
        ({"host": "127.0.0.1:7101", "origin": "https://tocsin.example.org.evil.example"}, True),
        ({"host": "127.0.0.1:7101", "sec-fetch-site": "cross-site"}, True),
        ({"host": "127.0.0.1:7101", "sec-fetch-site": "same-site"}, True),
        # A name of theirs that points at us.
        ({"host": "evil.example:7101"}, True),
        ({"host": "evil.example:7101", "origin": "http://evil.example:7101"}, True),
        ({"host": "127.0.0.1.evil.example:7101"}, True),
    ],
)
def test_who_may_change_something(headers: dict[str, str], refused: bool) -> None:
    """Any page that somebody has open could end an incident or announce a deployment."""
    assert bool(refusal(Headers(headers), False, NAMES)) is refused


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "metrics.example.net:7101"}, False),
        ({"host": "metrics.example.net:7101", "origin": "http://metrics.example.net:7101"}, True),
        ({"host": "127.0.0.1:7101", "origin": "https://evil.example"}, True),
    ],
)
def test_senders_may_use_any_name(headers: dict[str, str], refused: bool) -> None:
    """Senders behind a name of their own would be refused, or a page could send metrics."""
    assert bool(refusal(Headers(headers), True, NAMES)) is refused


async def _well(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("all that we know")(scope, receive, send)


@pytest.mark.parametrize(
    ("host", "path", "open_to_all", "status"),
    [
        ("127.0.0.1:7101", "/api/v2/incidents", True, 200),
        ("[::1]:7101", "/api/v2/incidents", True, 200),
        ("localhost:7101", "/health", True, 200),
        ("tocsin:7101", "/health", True, 200),
        # A name that its owner points at our loopback.
        ("rebound.example:7101", "/api/v2/incidents", True, 403),
        ("rebound.example:7101", "/health", True, 403),
        ("127.0.0.1.rebound.example", "/health", True, 403),
        ("host.docker.internal:7101", "/health", True, 200),
        # Where senders deliver anybody may ask; with tokens a stranger's page has none.
        ("rebound.example:7101", "/api/v1/publish", True, 200),
        ("rebound.example:7101", "/api/v2/incidents", False, 200),
    ],
)
def test_reading_by_a_strange_name(host: str, path: str, open_to_all: bool, status: int) -> None:
    """By DNS rebinding a page read everything that a server on loopback knew."""
    names = OwnNames(pages=["host.docker.internal"])
    app = SameSite(_well, names, {"/api/v1/publish"}, open_to_all=open_to_all)

    answer = TestClient(app).get(path, headers={"Host": host})

    assert answer.status_code == status
