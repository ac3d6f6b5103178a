"""Answers the page as a person would: finds the message, presses its button."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.client.slack.preview import SlackPreviewClient


def find_button(channels: list[Any], incident_id: str, wanted: str) -> Mapping[str, str] | None:
    """Return channel, ts and action_id of the button of ``incident_id`` whose action is ``wanted``.

    The newest message wins; None when there is no such button (yet).
    """
    for channel in channels:
        for message in sorted(channel["messages"], key=lambda m: str(m["ts"]), reverse=True):
            for element in _buttons(message):
                action = str(element.get("action_id", ""))
                if wanted in action and str(element.get("value", "")).startswith(incident_id):
                    return {"channel": channel["id"], "ts": message["ts"], "action_id": action}
    return None


def press(slack: SlackPreviewClient, incident_id: str, wanted: str, user: str) -> bool:
    """Press a button of the incident's message; False when it is not there yet."""
    button = find_button(slack.channels(), incident_id, wanted)
    if button is None:
        return False
    slack.click(**button, user=user)
    return True


def _buttons(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    blocks = list(message.get("blocks") or [])
    for attachment in message.get("attachments") or []:
        blocks += attachment.get("blocks") or []
    for block in blocks:
        if block.get("type") == "actions":
            yield from block.get("elements") or []
