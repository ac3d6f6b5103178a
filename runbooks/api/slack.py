"""HTTP routes that Slack calls: presses, commands, events; each verified by Slack's signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collectors.errors import DecodeError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from runbooks.api.answering import guarded
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.slack_interactions import (
    MAX_BODY_BYTES,
    command_of,
    interaction_of,
    presses_in,
    verify,
)

INTERACTIONS, COMMANDS, EVENTS = "/slack/interactions", "/slack/commands", "/slack/events"
SIGNED_BY_SLACK = frozenset({INTERACTIONS, COMMANDS, EVENTS})
"""Routes that take what Slack has signed, and nothing else."""


def slack_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes that Slack calls."""
    slack = _Slack(desk)
    return [
        Route(INTERACTIONS, guarded(slack.interaction), methods=["POST"]),
        Route(COMMANDS, guarded(slack.command), methods=["POST"]),
        Route(EVENTS, guarded(slack.event), methods=["POST"]),
    ]


class _Slack:
    """The endpoints: what comes is kept, Slack is answered, and it is carried out after.

    Args:
        desk: What it is about.
    """

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    async def interaction(self, request: Request) -> Response:
        payload = interaction_of(await self._verified(request))
        await run_in_threadpool(self._take, "interactive", payload)
        return Response(status_code=200)

    async def command(self, request: Request) -> Response:
        form = command_of(await self._verified(request))
        await run_in_threadpool(self._take, "slash_commands", form)
        return Response(status_code=200)

    async def event(self, request: Request) -> Response:
        payload = read_plain(await self._verified(request))
        if not isinstance(payload, dict):
            raise DecodeError("an event of Slack's is an object")
        if payload.get("type") == "url_verification":
            return PlainTextResponse(str(payload.get("challenge", ""))[:200])
        await run_in_threadpool(self._take, "events_api", payload)
        return Response(status_code=200)

    async def _verified(self, request: Request) -> bytes:
        body = await request_body(request, MAX_BODY_BYTES)
        verify(self._desk.slack_signing_secret, self._desk.clock, request.headers, body)
        return body

    def _take(self, kind: str, payload: Mapping[str, Any]) -> None:
        if self._desk.slack is not None:
            self._desk.slack.take(kind, payload)
            return
        for press in presses_in(payload):
            self._desk.press(press)
