"""What a war room in Slack takes: a channel made, named, told of, pinned, linked, archived.

Each call may be repeated: what is there already is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.web import SlackResponse

from runbooks.notifiers.delivery import ClosedWayError, NotDeliveredError
from runbooks.notifiers.slack_client import posting_client, repeating_client
from runbooks.notifiers.slack_errors import PAGE, RefusedBlocksError, pages, posting, reading
from runbooks.notifiers.slack_layout import escape
from tocsin.client.wording import trimmed

EVENT_TYPE = "tocsin_war_room"
MAX_NAME, MAX_TOPIC, MAX_BOOKMARK, MAX_SUFFIX = 80, 250, 100, 20
_NOT_IN_NAME = re.compile(r"[^a-z0-9_-]+")
_DONE = ("already_in_channel", "already_pinned", "already_archived", "cant_invite_self")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChannel:
    """A channel as Slack lists it."""

    id: str
    name: str
    creator: str
    purpose: str
    archived: bool


class SlackRooms:
    """Slack's Web API, as far as war rooms need it.

    All methods raise the errors of :mod:`runbooks.notifiers.delivery`.

    Args:
        token: Bot token; its scopes are told in ``docs/how-to/slack.md``.
        base_url: The API's address.
    """

    def __init__(self, token: str, base_url: str) -> None:
        address = base_url.rstrip("/") + "/"
        self._posting = posting_client(token, address)
        self._repeating = repeating_client(token, address)
        self._me = ""

    def me(self) -> str:
        """Return our own member id."""
        if not self._me:
            self._me = str(reading(self._repeating.auth_test)["user_id"])
        return self._me

    def named(self, name: str) -> RoomChannel | None:
        """Return the channel of a name; None: there is none that we see."""
        listed = self._repeating.conversations_list
        for found in pages(lambda cursor: listed(limit=PAGE, cursor=cursor), "channels"):
            if found["name"] == name:
                return RoomChannel(
                    id=found["id"],
                    name=name,
                    creator=str(found.get("creator", "")),
                    purpose=str((found.get("purpose") or {}).get("value", "")),
                    archived=bool(found.get("is_archived")),
                )
        return None

    def create(self, name: str) -> str | None:
        """Return the id of a new channel; None: the name is taken."""
        try:
            answer = reading(lambda: self._repeating.conversations_create(name=name))
        except ClosedWayError as error:
            if error.code == "name_taken":
                return None
            raise
        return str(answer["channel"]["id"])

    def describe(self, channel: str, purpose: str) -> None:
        """Say what a channel is for."""
        text = trimmed(escape(purpose), MAX_TOPIC, "…")
        reading(lambda: self._repeating.conversations_setPurpose(channel=channel, purpose=text))

    def set_topic(self, channel: str, topic: str) -> None:
        """Put what everybody must know at the head of a channel."""
        text = trimmed(escape(topic), MAX_TOPIC, "…")
        reading(lambda: self._repeating.conversations_setTopic(channel=channel, topic=text))

    def invite(self, channel: str, members: Sequence[str]) -> None:
        """Let people in."""
        for member in members:
            _unless_done(
                partial(self._repeating.conversations_invite, channel=channel, users=[member])
            )

    def archive(self, channel: str) -> None:
        """Let nobody write there any more."""
        _unless_done(partial(self._repeating.conversations_archive, channel=channel))

    def said(self, channel: str, marked: Mapping[str, str]) -> str | None:
        """Return the timestamp of our message that carries ``marked``; None: there is none."""
        history = self._repeating.conversations_history
        asked: dict[str, Any] = {"channel": channel, "limit": PAGE, "include_all_metadata": True}
        for message in pages(lambda cursor: history(**asked, cursor=cursor), "messages"):
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if all(payload.get(name) == value for name, value in marked.items()):
                return str(message["ts"])
        return None

    def say(
        self, channel: str, text: str, marked: Mapping[str, str], blocks: Sequence[Block] = ()
    ) -> str:
        """Post a message and return its timestamp; ``text`` is a stranger's unless escaped."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": dict(marked)}
        post = partial(
            self._posting.chat_postMessage,
            channel=channel,
            text=text,
            metadata=metadata,
            unfurl_links=False,
        )
        try:
            answer = posting(partial(post, blocks=[*blocks]) if blocks else post)
        except RefusedBlocksError:
            answer = posting(post)
        return str(answer["ts"])

    def edit(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        """Replace a message of ours."""
        reading(
            lambda: self._repeating.chat_update(
                channel=channel, ts=ts, text=text, blocks=list(blocks)
            )
        )

    def pin(self, channel: str, ts: str) -> None:
        """Pin a message."""
        _unless_done(partial(self._repeating.pins_add, channel=channel, timestamp=ts))

    def bookmark(self, channel: str, links: Sequence[tuple[str, str]]) -> None:
        """Put links at the head of a channel, each label once."""
        answer = reading(lambda: self._repeating.bookmarks_list(channel_id=channel))
        there = {found.get("title") for found in answer.get("bookmarks") or []}
        for label, address in links:
            title = trimmed(label, MAX_BOOKMARK, "…")
            if title in there or not address.startswith(("http://", "https://")):
                continue
            with suppress(NotDeliveredError):  # a link that Slack doesn't take is no reason to stop
                add = self._posting.bookmarks_add
                posting(partial(add, channel_id=channel, title=title, type="link", link=address))


def room_name(template: str, incident_id: str, service: str, again: int = 0) -> str:
    """Return a channel's name by Slack's rules: lower case, no spaces, 80 characters.

    Args:
        template: With ``{id}`` and ``{service}``.
        incident_id: Never cut.
        service: Cut where the name gets too long.
        again: Which try it is, when names are taken.

    >>> room_name("inc-{id}-{service}", "inc-0007", "Play Back.API")
    'inc-0007-play-back-api'
    >>> room_name("inc-{id}-{service}", "inc-0007", "", again=1)
    'inc-0007-2'
    """
    bare = incident_id.lower().removeprefix("inc-") if "inc-{id}" in template else incident_id
    ending = f"-{again + 1}" if again else ""

    def filled(with_service: str) -> str:
        text = template.replace("{id}", bare).replace("{service}", with_service).lower()
        return re.sub(r"-{2,}", "-", _NOT_IN_NAME.sub("-", text)).strip("-_")

    room = MAX_NAME - len(ending)
    over = max(0, len(filled(service)) - room)
    short = service[: max(0, len(service) - over)]
    return filled(short)[:room].rstrip("-_") + ending


def _unless_done(call: Callable[[], SlackResponse]) -> None:
    try:
        reading(call)
    except ClosedWayError as error:
        if error.code not in _DONE:
            raise
