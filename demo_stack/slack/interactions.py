"""What Slack sends when somebody presses a button: a signed ``block_actions`` request."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from urllib.parse import urlencode

from demo_stack.slack.rendering import Json, api_message
from demo_stack.slack.workspace import (
    APP_ID,
    TEAM_ID,
    Channel,
    Message,
    SlackError,
    Workspace,
)

_FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's ``v0`` signature of ``body`` sent at ``timestamp``."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def signed_request(
    secret: str, now_s: float, payload: Json, kind: str = "interactive"
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of the request that carries ``payload``.

    Args:
        secret: Signs it.
        now_s: When, seconds since the epoch.
        payload: What is sent.
        kind: As Socket Mode calls it: commands are fields of a form, events are JSON.
    """
    body, content_type = urlencode({"payload": json.dumps(payload)}).encode(), _FORM
    if kind == "slash_commands":
        body = urlencode(payload).encode()
    elif kind == "events_api":
        body, content_type = json.dumps(payload).encode(), "application/json"
    timestamp = str(int(now_s))
    return body, {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(secret, timestamp, body),
        "User-Agent": "Slackbot 1.0 (local)",
    }


def block_actions(
    workspace: Workspace,
    channel: Channel,
    message: Message,
    *,
    action_id: str,
    user: str,
    response_url: str,
    at: str = "",
) -> Json:
    """Return the payload for ``user`` pressing ``action_id`` under ``message``; ``at`` a time."""
    block_id, element = _find_action(message, action_id)
    name = workspace.users.setdefault(user, user)
    action: Json = {
        key: element[key] for key in ("type", "text", "value", "style", "url") if key in element
    }
    action |= {"action_id": action_id, "block_id": block_id, "action_ts": at or workspace.next_ts()}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": name, "name": name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": False,
        },
        "trigger_id": f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}",
        "team": {"id": TEAM_ID, "domain": "local"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel.name},
        "message": api_message(message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }


def _find_action(message: Message, action_id: str) -> tuple[str, Json]:
    for index, block in enumerate(_blocks(message)):
        for element in _elements(block):
            if element.get("action_id") == action_id:
                return str(block.get("block_id") or f"b{index}"), element
    raise SlackError("action_not_found")


def _blocks(message: Message) -> Iterator[Json]:
    yield from message.blocks
    for attachment in message.attachments:
        blocks = attachment.get("blocks")
        if isinstance(blocks, list):
            yield from blocks


def _elements(block: Json) -> Iterator[Json]:
    elements = block.get("elements")
    if isinstance(elements, list):
        yield from (element for element in elements if isinstance(element, dict))
    accessory = block.get("accessory")
    if isinstance(accessory, dict):
        yield accessory
