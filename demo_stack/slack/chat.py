"""The ``chat.*`` and ``reactions.*`` methods."""

from __future__ import annotations

import json

from demo_stack.slack.arguments import Arguments
from demo_stack.slack.blocks import complaints_about
from demo_stack.slack.rendering import Json, api_message
from demo_stack.slack.workspace import BOT_USER, Message, SlackError, Workspace


def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    """``chat.postMessage``: a new message, or a reply with ``thread_ts``."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"), by_name=True)
    if channel.archived:
        raise SlackError("is_archived")
    text, blocks, attachments = content(workspace, arguments, workspace.limits.text)
    message = Message(
        ts=workspace.next_ts(),
        user=BOT_USER,
        text=text,
        blocks=blocks,
        attachments=attachments,
        metadata=_metadata(workspace, arguments),
    )
    workspace.post(channel, message, arguments.text("thread_ts") or None)
    shown = api_message(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def update(workspace: Workspace, arguments: Arguments) -> Json:
    """``chat.update``: replace the content of a message of our own."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    message = workspace.message(channel, arguments.required("ts", "message_not_found"))
    if message.user != BOT_USER:
        raise SlackError("cant_update_message")
    text, blocks, attachments = content(workspace, arguments, workspace.limits.update_text)
    metadata = _metadata(workspace, arguments)
    message.text, message.blocks, message.attachments = text, blocks, attachments
    message.metadata = metadata or message.metadata
    message.edited_ts = workspace.next_ts()
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": text,
        "message": api_message(message, with_metadata=True),
    }


def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    """``chat.getPermalink``: a web address of a message."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    message = workspace.message(channel, arguments.required("message_ts", "message_not_found"))
    link = f"https://local.slack.example/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def add_reaction(workspace: Workspace, arguments: Arguments) -> Json:
    """``reactions.add``: our emoji under a message."""
    name = arguments.required("name", "invalid_name").strip(":")
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    message = workspace.message(channel, arguments.required("timestamp", "no_item_specified"))
    users = message.reactions.setdefault(name, [])
    if BOT_USER in users:
        raise SlackError("already_reacted")
    users.append(BOT_USER)
    return {}


def content(
    workspace: Workspace, arguments: Arguments, longest: int
) -> tuple[str, list[dict[str, object]], list[dict[str, object]]]:
    """Return text, blocks and attachments after Slack's checks; the text has ``longest``."""
    text = arguments.text("text")
    blocks = arguments.structure("blocks", "invalid_blocks_format") or []
    attachments = arguments.structure("attachments", "invalid_attachments_format") or []
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    if len(text) > longest:
        raise SlackError("msg_too_long")
    listed = _valid_blocks(workspace, blocks)
    return text, listed, _valid_attachments(workspace, attachments)


def _valid_blocks(workspace: Workspace, blocks: object) -> list[dict[str, object]]:
    complaints = complaints_about(blocks, workspace.limits)
    if complaints or not isinstance(blocks, list):
        raise SlackError("invalid_blocks", complaints)
    if len(json.dumps(blocks, ensure_ascii=False)) > workspace.limits.blocks_json:
        raise SlackError("msg_blocks_too_long")
    return blocks


def _valid_attachments(workspace: Workspace, attachments: object) -> list[dict[str, object]]:
    if not isinstance(attachments, list):
        raise SlackError("invalid_attachments_format")
    if len(attachments) > 100:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        if not isinstance(attachment, dict):
            raise SlackError("invalid_attachments_format")
        _valid_blocks(workspace, attachment.get("blocks") or [])
    return attachments


def _metadata(workspace: Workspace, arguments: Arguments) -> dict[str, object] | None:
    metadata = arguments.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > workspace.limits.metadata_bytes:
        raise SlackError("metadata_too_large")
    return metadata
