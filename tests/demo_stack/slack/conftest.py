from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from slack_sdk import WebClient
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from demo_stack.slack.app import slack_app
from demo_stack.slack.faults import Faults
from demo_stack.slack.server import serving

TOKEN = "xoxb-local"
SECRET = "shhh"


@dataclass(slots=True)
class Seconds:
    """A clock in seconds that moves when told to."""

    now_s: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(slots=True, kw_only=True)
class LocalSlack:
    """A running local Slack with its official client."""

    url: str
    clock: Seconds
    faults: Faults
    client: WebClient
    http: httpx2.Client = field(repr=False)

    def channel_id(self, name: str = "incidents") -> str:
        channels = self.client.conversations_list()["channels"]
        return str(next(c["id"] for c in channels if c["name"] == name))

    def seen(self, name: str = "incidents") -> list[dict[str, Any]]:
        shown = self.http.get("/preview/messages").json()["channels"]
        found: list[dict[str, Any]] = next(c["messages"] for c in shown if c["name"] == name)
        return found


async def _nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("no application was put in place")


class Swap:
    """An application that stands in for another, so that one server serves every test."""

    def __init__(self) -> None:
        self.app: ASGIApp = _nobody
        self.hangup: Callable[[Request], None] = lambda _request: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def slack_socket() -> Iterator[tuple[httpx2.Client, Swap]]:
    swap = Swap()

    def make(hangup: Callable[[Request], None]) -> Swap:
        swap.hangup = hangup
        return swap

    with serving(make) as url, httpx2.Client(base_url=url, trust_env=False) as http:
        yield http, swap


@pytest.fixture
def slack(slack_socket: tuple[httpx2.Client, Swap], monkeypatch: pytest.MonkeyPatch) -> LocalSlack:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    clock, faults = Seconds(), Faults()
    http, swap = slack_socket
    url = str(http.base_url).rstrip("/")
    swap.app = slack_app(
        token=TOKEN, signing_secret=SECRET, now=clock, faults=faults, hangup=swap.hangup
    )
    client = WebClient(token=TOKEN, base_url=f"{url}/api/", retry_handlers=[])
    return LocalSlack(url=url, clock=clock, faults=faults, client=client, http=http)
