"""JSON of the local Slack server, as its preview page reads it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class SlackMessage(TypedDict):
    """A message as the local Slack server keeps it; ``ts`` is Slack's message id."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    edited_ts: str | None
    reactions: dict[str, list[str]]
    thread: list[SlackMessage]


class SlackBookmark(TypedDict):
    """A link at the head of a channel."""

    id: str
    title: str
    link: str


class SlackChannel(TypedDict):
    """A channel of the local Slack server; ``pins`` are the ids of messages."""

    id: str
    name: str
    topic: str
    archived: bool
    members: list[str]
    pins: list[str]
    bookmarks: list[SlackBookmark]
    messages: list[SlackMessage]


class SlackClick(TypedDict):
    """What became of a pressed button; ``status`` is what the app answered, if it answered."""

    ok: bool
    status: NotRequired[int]
    error: NotRequired[str]
    detail: NotRequired[str]
