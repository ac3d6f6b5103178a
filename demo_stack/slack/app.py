"""The Slack application: Web API and preview over one workspace."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from demo_stack.slack.faults import Faults
from demo_stack.slack.limits import SlackLimits
from demo_stack.slack.preview import Preview
from demo_stack.slack.sockets import Sockets
from demo_stack.slack.web_api import Hangup, WebApi
from demo_stack.slack.workspace import Workspace

CHANNELS = ("incidents", "general")


def _cannot_hang_up(request: Request) -> None:
    raise NotImplementedError(f"{request.url.path}: this server can't cut its connections")


def slack_app(
    *,
    token: str,
    signing_secret: str,
    interactivity_url: str = "",
    channels: tuple[str, ...] = CHANNELS,
    limits: SlackLimits | None = None,
    now: Callable[[], float] = time.time,
    faults: Faults | None = None,
    hangup: Hangup = _cannot_hang_up,
    app_token: str = "",
) -> Starlette:
    """Return an ASGI application that behaves as Slack does.

    Args:
        token: The bot token that clients must send.
        signing_secret: Signs the interactions that it sends.
        interactivity_url: Where interactions go.
        channels: Names of the channels that exist from the start.
        limits: Slack's limits; the documented ones if not given.
        now: The present in seconds since the epoch.
        faults: Switches that the caller keeps a hand on.
        app_token: Lets an app connect in Socket Mode; what people do is then sent over the socket.
        hangup: Cuts a request's connection, for the faults that lose something.
    """
    workspace = Workspace(channels, now, limits or SlackLimits())
    switches = faults or Faults()
    sockets = Sockets(app_token, workspace.limits.ack_timeout_s)
    api = WebApi(workspace, token=token, faults=switches, hangup=hangup, sockets=sockets)
    preview = Preview(
        workspace,
        faults=switches,
        signing_secret=signing_secret,
        interactivity_url=interactivity_url,
        sockets=sockets,
    )
    web = Route("/api/{method}", api.__call__, methods=["GET", "POST"])
    return Starlette(routes=[web, sockets.route(), *preview.routes()])
