"""What the fixtures of this room hand out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from anomaly.findings import Finding
from demo_stack.slack.faults import Faults
from demo_stack.slack.web_api import Hangup
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.slack import SlackNotifier

MakeFinding = Callable[..., Finding]
"""Makes a finding that differs from the usual one as the keywords say."""

MakeDesk = Callable[..., IncidentDesk]
"""Opens a desk that differs from the usual one as the keywords say."""

ServeDesk = Callable[[IncidentDesk], httpx2.Client]
"""Serves a desk's routes on a real socket; gives a client of them."""


@dataclass(slots=True, kw_only=True)
class LocalSlack:
    """A local Slack on a real socket, its clock and its fault switches in the test's hand."""

    url: str
    faults: Faults
    http: httpx2.Client

    @property
    def notifier(self) -> SlackNotifier:
        """A notifier that pages here."""
        return SlackNotifier("xoxb-test", base_url=f"{self.url}/api")

    def seen(self, name: str = "incidents") -> list[dict[str, Any]]:
        """Return what a person would see in a channel."""
        channels = self.http.get("/preview/messages").json()["channels"]
        found: list[dict[str, Any]] = next(c["messages"] for c in channels if c["name"] == name)
        return found


class Swap:
    """An application that stands in for another, so that one server serves every test."""

    def __init__(self) -> None:
        self.app: ASGIApp = _nothing
        self.hangup: Hangup = lambda _request: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application of the test that runs."""
        await self.app(scope, receive, send)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(f"no application serves {scope['path']} yet; set one")
