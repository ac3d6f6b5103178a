"""Messages and channels as the Web API and the preview page show them."""

from __future__ import annotations

from demo_stack.slack.workspace import APP_ID, BOT_ID, BOT_USER, TEAM_ID, Channel, Message

Json = dict[str, object]


def api_message(message: Message, *, with_metadata: bool = False) -> Json:
    """Return ``message`` as ``conversations.history`` gives it."""
    shown: Json = {"type": "message", "user": message.user, "ts": message.ts, "team": TEAM_ID}
    shown["text"] = message.text
    if message.user == BOT_USER:
        shown |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.attachments:
        shown["attachments"] = message.attachments
    if message.edited_ts:
        shown["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.replies:
        shown |= {"reply_count": len(message.replies), "latest_reply": message.replies[-1].ts}
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ]
    if with_metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def api_channel(channel: Channel) -> Json:
    """Return ``channel`` as ``conversations.list`` gives it."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_archived": channel.archived,
        "is_private": False,
        "is_member": True,
        "num_members": 3,
        "creator": channel.creator,
        "topic": {"value": channel.topic},
        "purpose": {"value": channel.purpose},
    }


def preview_message(message: Message) -> Json:
    """Return ``message`` with its thread, as a person would see it."""
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "edited_ts": message.edited_ts,
        "reactions": message.reactions,
        "thread": [preview_message(reply) for reply in message.replies],
    }


def preview_channel(channel: Channel) -> Json:
    """Return ``channel`` with everything in it, oldest first."""
    return {
        "id": channel.id,
        "name": channel.name,
        "topic": channel.topic,
        "archived": channel.archived,
        "members": channel.members,
        "pins": channel.pins,
        "bookmarks": channel.bookmarks,
        "messages": [preview_message(message) for message in channel.messages],
    }
