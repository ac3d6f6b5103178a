"""Pages on Slack: one message an incident, edited in place, everything else in its thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from collectors.documents.section import Section
from collectors.documents.values import Secret, Words
from collectors.errors import ConfigError, TocsinError
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    MessageGoneError,
    NotDeliveredError,
    RateLimitedError,
    UncertainError,
)
from runbooks.notifiers.kind import NotifierKind
from runbooks.notifiers.slack_client import posting_client, repeating_client
from runbooks.notifiers.slack_layout import blocks_of, escape, fallback_text

NAME = "slack"
SLACK_API = "https://slack.com/api/"
EVENT_TYPE = "tocsin_notification"
OUTBOX_ID = "outbox_id"
LOOK_BACK_S = 2 * 3_600 + 300
"""How long before a page was queued its message is looked for: Slack's clock is not ours, and ours
may be wrong by an hour or two. A message that is not found would be posted again."""

PAGE, MAX_PAGES = 200, 20

BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Certainly not posted; the same without blocks may go through, and a plain page beats none."""

MAYBE_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack says of these that some of the work may have been done."""

GONE = frozenset({"message_not_found", "thread_not_found"})
"""Somebody deleted the incident's message."""

MAYBE_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class SlackNotifier:
    """Delivers through Slack's Web API.

    Args:
        token: Bot token with ``chat:write``, ``channels:read`` and ``channels:history``.
        base_url: The API's address; another one for the local Slack.
    """

    def __init__(self, token: str, *, base_url: str = SLACK_API) -> None:
        address = base_url.rstrip("/") + "/"
        self._posting = posting_client(token, address)
        self._repeating = repeating_client(token, address)
        self._channel_ids: dict[str, str] = {}

    @property
    def name(self) -> str:
        """``slack``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Post, edit or reply."""
        if delivery.action is Action.EDIT:
            return self._edit(delivery)
        return self._post(delivery)

    def find(self, delivery: Delivery) -> str | None:
        """Look for a message that carries ``delivery``'s outbox id in its metadata."""
        if delivery.action is Action.EDIT:
            return None
        oldest = str(delivery.created_ms / 1000 - LOOK_BACK_S)
        named: dict[str, Any] = {"include_all_metadata": True, "limit": PAGE}
        if delivery.action is Action.REPLY:
            channel, ts = split(delivery.reference)
            read = self._repeating.conversations_replies
            named |= {"channel": channel, "ts": ts, "oldest": oldest}
        else:
            channel = self._channel_id(delivery.channel)
            read = self._repeating.conversations_history
            named |= {"channel": channel, "oldest": oldest}
        for message in _pages(lambda cursor: read(**named, cursor=cursor), "messages"):
            if _outbox_id(message) == str(delivery.outbox_id):
                return f"{channel}:{message['ts']}"
        return None

    def _post(self, delivery: Delivery) -> str:
        message: dict[str, Any] = {
            "channel": delivery.channel,
            "unfurl_links": False,
            "metadata": {
                "event_type": EVENT_TYPE,
                "event_payload": {OUTBOX_ID: str(delivery.outbox_id)},
            },
        }
        if delivery.action is Action.REPLY:
            channel, ts = split(delivery.reference)
            message |= {"channel": channel, "thread_ts": ts, "text": escape(delivery.text)}
            answer = _posting(lambda: self._posting.chat_postMessage(**message))
            return f"{answer['channel']}:{answer['ts']}"
        message["text"] = fallback_text(delivery.card, delivery.text)
        blocks = blocks_of(delivery.card, delivery.text)
        try:
            answer = _posting(lambda: self._posting.chat_postMessage(**message, blocks=blocks))
        except _RefusedBlocksError:
            answer = _posting(lambda: self._posting.chat_postMessage(**message))
        return f"{answer['channel']}:{answer['ts']}"

    def _edit(self, delivery: Delivery) -> str:
        channel, ts = split(delivery.reference)
        message: dict[str, Any] = {
            "channel": channel,
            "ts": ts,
            "text": fallback_text(delivery.card),
        }
        blocks = blocks_of(delivery.card)
        try:
            _reading(lambda: self._repeating.chat_update(**message, blocks=blocks))
        except _RefusedBlocksError:
            _reading(lambda: self._repeating.chat_update(**message))
        return delivery.reference

    def lists(self, channel: str) -> bool:
        """Return whether Slack lists a channel of this name or id to us.

        Raises:
            NotDeliveredError: Slack refused, for example the token.
            DelayedError: Slack can't be reached or wants us to wait.
        """
        wanted = channel.removeprefix("#")
        if wanted not in self._channel_ids:
            listed = self._repeating.conversations_list
            for found in _pages(lambda cursor: listed(limit=PAGE, cursor=cursor), "channels"):
                self._channel_ids |= {found["name"]: found["id"], found["id"]: found["id"]}
        return wanted in self._channel_ids

    def _channel_id(self, name: str) -> str:
        """Return the id of a channel; reading, unlike posting, doesn't take a name."""
        if not self.lists(name):
            raise DelayedError(f"Slack lists no channel {name!r}; invite the app", retry_after_s=30)
        return self._channel_ids[name.removeprefix("#")]


class _RefusedBlocksError(NotDeliveredError):
    """Slack refused the blocks, and so the whole message."""


def split(reference: str) -> tuple[str, str]:
    """Return channel id and timestamp of a message's reference."""
    channel, _, ts = reference.partition(":")
    return channel, ts


def _posting(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Run a call that must not be repeated blindly."""
    try:
        return call()
    except SlackApiError as error:
        raise _translated(error, repeatable=False) from error
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        if _never_arrived(error):
            raise DelayedError(f"Slack can't be reached: {error}", retry_after_s=2) from error
        raise UncertainError(f"Slack's answer was lost: {error!r}") from error


def _reading(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Run a call that may be repeated."""
    try:
        return call()
    except SlackApiError as error:
        raise _translated(error, repeatable=True) from error
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        raise DelayedError(f"Slack can't be reached: {error!r}", retry_after_s=2) from error


def _pages(read: Callable[[str], SlackResponse], what: str) -> Iterator[Mapping[str, Any]]:
    """Yield the items of all pages; more than can be gone through can't be told."""
    cursor = ""
    for _ in range(MAX_PAGES):
        answer = _reading(lambda at=cursor: read(at))  # type: ignore[misc]  # binds the cursor
        yield from answer.get(what) or []
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
    raise DelayedError(f"more than {PAGE * MAX_PAGES} {what} to look through", retry_after_s=60)


def _translated(error: SlackApiError, *, repeatable: bool) -> TocsinError:
    response = error.response
    status, headers, code = _parts(response)
    if status == 429 or code in MAYBE_LATER:
        retry_after = str(headers.get("Retry-After", headers.get("retry-after", "1")))
        wait_s = int(retry_after) if retry_after.isdigit() else 1
        return RateLimitedError(f"Slack limits the rate; wait {wait_s} s", retry_after_s=wait_s)
    if code in BAD_BLOCKS:
        return _RefusedBlocksError(f"Slack refused the blocks: {code} {error}")
    if code in GONE:
        return MessageGoneError(f"the incident's message is gone: {code}")
    if status >= 500 or code in MAYBE_DONE:
        reason = f"Slack answered {status} {code}".strip()
        if repeatable:
            return DelayedError(reason, retry_after_s=2)
        return UncertainError(reason)
    return NotDeliveredError(f"Slack refused it: {code or status}; see docs.slack.dev for the code")


def _parts(response: object) -> tuple[int, Mapping[str, str], str]:
    """Return HTTP status, headers and Slack's error code of either form the SDK gives."""
    if isinstance(response, SlackResponse):
        data = response.data
        code = data.get("error", "") if isinstance(data, dict) else ""
        return response.status_code, response.headers, str(code)
    if isinstance(response, dict):
        status, headers = response.get("status", 0), response.get("headers", {})
        return int(status), headers, str(response.get("error", ""))
    return 0, {}, ""


def _never_arrived(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have been posted."""
    cause = error.reason if isinstance(error, URLError) else error
    return isinstance(cause, ConnectionRefusedError | socket.gaierror)


def _outbox_id(message: Mapping[str, Any]) -> str | None:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    found = payload.get(OUTBOX_ID)
    return None if found is None else str(found)


class SlackParameters(Section):
    """Pages on Slack; the settings whose names begin with `slack_` come before these."""

    bot_token: Secret | None = None
    """Bot token (xoxb-...); best as `${NAME}`, read from the environment."""
    signing_secret: Secret | None = None
    """Verifies that button clicks come from Slack; needed with a token."""
    base_url: Words = SLACK_API
    """Slack's Web API, or a server that speaks it."""
    channel: Words = "incidents"
    """Channel that is paged where no routes are given."""


def _made(parameters: SlackParameters) -> SlackNotifier | None:
    token = parameters.bot_token
    if token is None:
        return None
    if parameters.signing_secret is None:
        raise ConfigError(
            "Slack has a bot token but no signing secret: buttons could not be verified; "
            "copy it from the Slack app's basic information to TOCSIN_SLACK_SIGNING_SECRET"
        )
    return SlackNotifier(token.get_secret_value(), base_url=parameters.base_url)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=SlackParameters,
    make=_made,
    default_channel=lambda parameters: parameters.channel,
)
