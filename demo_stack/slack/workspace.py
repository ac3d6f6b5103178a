"""What a workspace holds: channels, messages in their threads, users."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from demo_stack.slack.limits import SlackLimits

TEAM_ID = "T00LOCAL"
APP_ID = "A00LOCAL"
BOT_USER = "U00TOCSIN"
BOT_ID = "B00TOCSIN"
_NAME = re.compile(r"[\w\-]+", re.UNICODE)


class SlackError(Exception):
    """An error as Slack names it; answered as 200 with ``ok: false``.

    Args:
        error: Slack's error code, such as ``channel_not_found``.
        messages: Lines for ``response_metadata.messages``.
    """

    def __init__(self, error: str, messages: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []


@dataclass(slots=True, kw_only=True)
class Message:
    """One message; ``thread_ts`` is set on replies and on parents that have some."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, object]] = field(default_factory=list)
    attachments: list[dict[str, object]] = field(default_factory=list)
    metadata: dict[str, object] | None = None
    thread_ts: str | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[Message] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Channel:
    """A public channel with its top-level messages, oldest first."""

    id: str
    name: str
    messages: list[Message] = field(default_factory=list)
    creator: str = "U02LEAD"
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    members: list[str] = field(default_factory=lambda: [BOT_USER])
    pins: list[str] = field(default_factory=list)
    bookmarks: list[dict[str, str]] = field(default_factory=list)


class Workspace:
    """Everything of one workspace, in memory. Not thread-safe: one event loop owns it.

    Args:
        channels: Names of the channels that exist from the start.
        now: The present in seconds since the epoch; message timestamps come from it.
        limits: Slack's limits.
    """

    def __init__(
        self, channels: tuple[str, ...], now: Callable[[], float], limits: SlackLimits
    ) -> None:
        self.now = now
        self.limits = limits
        self.users = {BOT_USER: "tocsin", "U01ONCALL": "on-call", "U02LEAD": "incident-lead"}
        self.channels: dict[str, Channel] = {}
        self.triggers: dict[str, float] = {}
        self.views: dict[str, dict[str, object]] = {}
        self._last_us = 0
        for name in channels:
            self.create_channel(name)

    def create_channel(self, name: str, creator: str = "U02LEAD") -> Channel:
        """Make a channel; Slack's rules for names apply."""
        if not name:
            raise SlackError("invalid_name_required")
        if len(name) > self.limits.channel_name:
            raise SlackError("invalid_name_maxlength")
        if not _NAME.fullmatch(name) or name != name.lower():
            raise SlackError("invalid_name_specials")
        if not any(c.isalnum() for c in name):
            raise SlackError("invalid_name_punctuation")
        if any(channel.name == name for channel in self.channels.values()):
            raise SlackError("name_taken")
        channel = Channel(id=f"C{len(self.channels) + 1:08d}", name=name, creator=creator)
        self.channels[channel.id] = channel
        return channel

    def channel(self, reference: str, *, by_name: bool = False) -> Channel:
        """Find a channel by id; ``chat.postMessage`` alone also takes its name."""
        found = self.channels.get(reference)
        if found is None and by_name:
            name = reference.removeprefix("#")
            found = next((c for c in self.channels.values() if c.name == name), None)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def message(self, channel: Channel, ts: str) -> Message:
        """Find a message or a reply by its timestamp."""
        for message in self.all_messages(channel):
            if message.ts == ts:
                return message
        raise SlackError("message_not_found")

    def all_messages(self, channel: Channel) -> Iterator[Message]:
        """Yield every message of ``channel``, each followed by its replies."""
        for message in channel.messages:
            yield message
            yield from message.replies

    def post(self, channel: Channel, message: Message, thread_ts: str | None) -> Message:
        """Add ``message`` to the channel or to the thread under ``thread_ts``."""
        if thread_ts is None:
            channel.messages.append(message)
            del channel.messages[: -self.limits.messages_kept]
            return message
        parent = next((m for m in channel.messages if m.ts == thread_ts), None)
        if parent is None:
            raise SlackError("thread_not_found")
        parent.thread_ts = parent.ts
        message.thread_ts = parent.ts
        parent.replies.append(message)
        del parent.replies[: -self.limits.messages_kept]
        return message

    def issue_trigger(self, trigger: str) -> None:
        """Let ``trigger`` open one form within the next seconds."""
        self.triggers[trigger] = self.now()

    def open_view(self, trigger: str, view: dict[str, object]) -> dict[str, object]:
        """Show a form to whoever has the trigger."""
        issued_s = self.triggers.pop(trigger, None)
        if issued_s is None:
            raise SlackError("invalid_trigger_id")
        if self.now() - issued_s > self.limits.ack_timeout_s:
            raise SlackError("expired_trigger_id")
        shown: dict[str, object] = {**view, "id": f"V{secrets.token_hex(4).upper()}"}
        self.views[str(shown["id"])] = shown
        return shown

    def next_ts(self) -> str:
        """Return a message timestamp, ``seconds.microseconds``, never used before."""
        self._last_us = max(int(self.now() * 1_000_000), self._last_us + 1)
        seconds, micros = divmod(self._last_us, 1_000_000)
        return f"{seconds}.{micros:06d}"
