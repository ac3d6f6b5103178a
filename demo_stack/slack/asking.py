"""What people do beside pressing buttons, as an app gets it: commands, forms, reactions."""

from __future__ import annotations

import secrets

from demo_stack.slack.rendering import Json, api_message
from demo_stack.slack.workspace import APP_ID, TEAM_ID, Channel, Message, Workspace

COMMAND = "/incident"


def command(
    workspace: Workspace, channel: Channel, user: str, text: str, response_url: str, trigger: str
) -> Json:
    """Return the fields of a slash command."""
    return {
        "command": COMMAND,
        "text": text,
        "user_id": user,
        "user_name": workspace.users.setdefault(user, user),
        "channel_id": channel.id,
        "channel_name": channel.name,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "response_url": response_url,
        "trigger_id": trigger,
    }


def submission(view: Json, user: str, values: dict[str, str]) -> Json:
    """Return the payload of a form that ``user`` sends, with a text or a choice by its block."""
    state: dict[str, Json] = {}
    blocks = view.get("blocks")
    for block in blocks if isinstance(blocks, list) else []:
        element = block.get("element") or {}
        name = str(block.get("block_id"))
        given = values.get(name)
        if element.get("type") == "static_select":
            chosen = element.get("initial_option")
            if given is not None:
                chosen = next(o for o in element["options"] if o["value"] == given)
            state[name] = {element["action_id"]: {"selected_option": chosen}}
        else:
            text = element.get("initial_value") if given is None else given
            state[name] = {element["action_id"]: {"value": text}}
    return {
        "type": "view_submission",
        "team": {"id": TEAM_ID, "domain": "local"},
        "user": {"id": user, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "trigger_id": new_trigger(),
        "view": {**view, "state": {"values": state}},
        "response_urls": [],
    }


def message_action(
    channel: Channel, message: Message, user: str, callback_id: str, response_url: str, at: str
) -> Json:
    """Return the payload of a message shortcut."""
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "trigger_id": new_trigger(),
        "action_ts": at,
        "message_ts": message.ts,
        "response_url": response_url,
        "team": {"id": TEAM_ID, "domain": "local"},
        "user": {"id": user, "team_id": TEAM_ID},
        "channel": {"id": channel.id, "name": channel.name},
        "message": api_message(message),
    }


def reaction_added(channel: Channel, message: Message, user: str, name: str, at: str) -> Json:
    """Return the event of an emoji under a message."""
    return {
        "type": "event_callback",
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event_id": f"Ev{secrets.token_hex(6).upper()}",
        "event": {
            "type": "reaction_added",
            "user": user,
            "reaction": name,
            "item_user": message.user,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "event_ts": at,
        },
    }


def new_trigger() -> str:
    """Return what opens a form."""
    return f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}"
