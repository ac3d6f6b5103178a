"""Methods that make a channel a room: topic, purpose, members, pins, bookmarks, archiving."""

from __future__ import annotations

from urllib.parse import urlsplit

from demo_stack.slack.arguments import Arguments
from demo_stack.slack.rendering import Json, api_channel, api_message
from demo_stack.slack.workspace import BOT_USER, Channel, SlackError, Workspace

MAX_BOOKMARKS = 100


def set_topic(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.setTopic``: what stands at the head of a channel."""
    channel = _usable(workspace, arguments)
    channel.topic = _short(workspace, arguments.text("topic"))
    return {"channel": api_channel(channel)}


def set_purpose(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.setPurpose``: what a channel is for."""
    channel = _usable(workspace, arguments)
    channel.purpose = _short(workspace, arguments.text("purpose"))
    return {"channel": api_channel(channel)}


def invite(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.invite``: people come in."""
    channel = _usable(workspace, arguments)
    users = [user for user in arguments.required("users", "no_user").split(",") if user]
    if any(user not in workspace.users for user in users):
        raise SlackError("user_not_found")
    if all(user in channel.members for user in users):
        raise SlackError("already_in_channel")
    channel.members += [user for user in users if user not in channel.members]
    return {"channel": api_channel(channel)}


def archive(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.archive``: nobody writes there any more."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    if channel.archived:
        raise SlackError("already_archived")
    channel.archived = True
    return {}


def pin(workspace: Workspace, arguments: Arguments) -> Json:
    """``pins.add``: a message that people find."""
    channel = _usable(workspace, arguments)
    message = workspace.message(channel, arguments.required("timestamp", "no_item_specified"))
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    channel.pins.append(message.ts)
    return {}


def pins(workspace: Workspace, arguments: Arguments) -> Json:
    """``pins.list``: what is pinned in a channel."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    found = [workspace.message(channel, ts) for ts in channel.pins]
    return {"items": [{"type": "message", "message": api_message(m)} for m in found]}


def add_bookmark(workspace: Workspace, arguments: Arguments) -> Json:
    """``bookmarks.add``: a link at the head of a channel."""
    channel = workspace.channel(arguments.required("channel_id", "channel_not_found"))
    if channel.archived:
        raise SlackError("is_archived")
    if arguments.required("type") != "link":
        raise SlackError("invalid_bookmark_type")
    link = arguments.required("link", "invalid_link")
    if urlsplit(link).scheme not in {"http", "https"} or not urlsplit(link).hostname:
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= MAX_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    title = arguments.required("title", "invalid_arguments")
    if len(title) > workspace.limits.bookmark_title:
        raise SlackError("invalid_arguments")
    bookmark = {"id": f"Bk{len(channel.bookmarks) + 1:06d}", "title": title, "link": link}
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


def bookmarks(workspace: Workspace, arguments: Arguments) -> Json:
    """``bookmarks.list``: the links of a channel."""
    channel = workspace.channel(arguments.required("channel_id", "channel_not_found"))
    return {"bookmarks": channel.bookmarks}


def _usable(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    if channel.archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _short(workspace: Workspace, text: str) -> str:
    if len(text) > workspace.limits.topic:
        raise SlackError("too_long")
    return text
