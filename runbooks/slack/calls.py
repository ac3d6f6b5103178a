"""Calls to Slack that answer people: open a form, read a message, say something to one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from slack_sdk.models.views import View

from runbooks.notifiers.delivery import NotDeliveredError
from runbooks.notifiers.http_posting import post, posting_client
from runbooks.notifiers.loopback import is_loopback
from runbooks.notifiers.slack_client import posting_client as slack_posting_client
from runbooks.notifiers.slack_client import repeating_client
from runbooks.notifiers.slack_errors import posting, reading
from tocsin.client.wording import trimmed

TRIGGER_TIMEOUT_S = 3
MAX_ANSWER = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message: its text, who wrote it (member id), where it is, and whose thread it is in."""

    text: str
    user: str
    permalink: str
    thread_ts: str


class SlackCalls:
    """Slack's Web API, as far as answers need it.

    All methods raise the errors of :mod:`runbooks.notifiers.delivery`.

    Args:
        token: Bot token.
        base_url: The API's address.
    """

    def __init__(self, token: str, base_url: str) -> None:
        address = base_url.rstrip("/") + "/"
        self._base_url = address
        self._posting = slack_posting_client(token, address, TRIGGER_TIMEOUT_S)
        self._repeating = repeating_client(token, address)
        self._client: httpx2.Client | None = None

    def open_form(self, trigger: str, view: View) -> None:
        """Show a form to who has the trigger."""
        posting(lambda: self._posting.views_open(trigger_id=trigger, view=view))

    def message(self, channel: str, ts: str) -> Said:
        """Return a message, of a channel or of a thread."""
        asked: dict[str, Any] = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": True}
        found = reading(lambda: self._repeating.conversations_replies(ts=ts, **asked))
        wanted = [m for m in found.get("messages") or [] if m.get("ts") == ts]
        if not wanted:
            raise NotDeliveredError(f"Slack has no message {ts} there")
        link = reading(lambda: self._repeating.chat_getPermalink(channel=channel, message_ts=ts))
        return Said(
            text=trimmed(str(wanted[0].get("text", "")), MAX_ANSWER),
            user=str(wanted[0].get("user", "")),
            permalink=str(link["permalink"]),
            thread_ts=str(wanted[0].get("thread_ts") or ts),
        )

    def answer(self, url: str, text: str) -> None:
        """Say ``text``, which is Slack's markup, to who asked alone."""
        if not (url.startswith("https://") or is_loopback(url)) or not urlsplit(url).hostname:
            raise NotDeliveredError("the address for the answer is not Slack's")
        self._client = self._client or posting_client(url, 5.0)
        body = {"response_type": "ephemeral", "text": trimmed(text, MAX_ANSWER)}
        post(self._client, url, orjson.dumps(body), {})
