"""Typed client of the local Slack server, as people use it: look and click."""

from __future__ import annotations

from typing import cast

from tocsin.client.slack.shapes import SlackChannel, SlackClick
from tocsin.client.transport import Transport, list_in


class SlackPreviewClient:
    """The local Slack server's two doors for people: look and click.

    Args:
        base_url: Address of ``python -m demo_stack.slack``.
        timeout_s: Longest wait for one answer, seconds.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 5.0) -> None:
        self._transport = Transport(base_url, timeout_s=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def channels(self) -> list[SlackChannel]:
        """Return the channels with their messages and threads."""
        path = "/preview/messages"
        return cast("list[SlackChannel]", list_in(self._transport.get(path), "channels", path))

    def click(self, *, channel: str, ts: str, action_id: str, user: str) -> SlackClick:
        """Press a message's button as ``user``; the answer carries the app's HTTP status."""
        body = {"channel": channel, "ts": ts, "action_id": action_id, "user": user}
        return cast("SlackClick", self._transport.post("/preview/click", body))
