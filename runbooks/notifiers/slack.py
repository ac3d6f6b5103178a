"""Pages on Slack: one message an incident, edited in place, everything else in its thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.documents.section import Section
from collectors.documents.values import Secret, Words
from collectors.errors import ConfigError
from runbooks.notifiers.delivery import Action, DelayedError, Delivery
from runbooks.notifiers.kind import NotifierKind, Pace
from runbooks.notifiers.slack_client import TIMEOUT_S, posting_client, repeating_client
from runbooks.notifiers.slack_errors import PAGE, RefusedBlocksError, pages, posting, reading
from runbooks.notifiers.slack_layout import blocks_of, escape, fallback_text
from runbooks.notifiers.war_room_parameters import WarRoomParameters

NAME = "slack"
SLACK_API = "https://slack.com/api/"
EVENT_TYPE = "tocsin_notification"
OUTBOX_ID = "outbox_id"
INCIDENT_ID = "incident_id"
LOOK_BACK_S = 7 * 86_400
"""How long before a page was queued its message is looked for, by its id. Slack's clock is not
ours: further apart, no certificate would be valid and nothing could have been posted."""


class SlackNotifier:
    """Delivers through Slack's Web API.

    Args:
        token: Bot token with ``chat:write``, ``channels:read`` and ``channels:history``; for
            what people do in Slack also ``commands`` and ``reactions:read``.
        base_url: The API's address; another one for the local Slack.
        timeout_s: How long an answer to a new message is waited for.
    """

    def __init__(
        self, token: str, *, base_url: str = SLACK_API, timeout_s: int = TIMEOUT_S
    ) -> None:
        address = base_url.rstrip("/") + "/"
        self._posting = posting_client(token, address, timeout_s)
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
        for message in pages(lambda cursor: read(**named, cursor=cursor), "messages"):
            if _is_of(message, delivery):
                return f"{channel}:{message['ts']}"
        return None

    def _post(self, delivery: Delivery) -> str:
        message: dict[str, Any] = {
            "channel": delivery.channel,
            "unfurl_links": False,
            "metadata": {
                "event_type": EVENT_TYPE,
                "event_payload": {
                    OUTBOX_ID: str(delivery.outbox_id),
                    INCIDENT_ID: delivery.card.incident_id,
                },
            },
        }
        if delivery.action is Action.REPLY:
            channel, ts = split(delivery.reference)
            message |= {"channel": channel, "thread_ts": ts, "text": escape(delivery.text)}
            answer = posting(lambda: self._posting.chat_postMessage(**message))
            return f"{answer['channel']}:{answer['ts']}"
        message["text"] = fallback_text(delivery.card, delivery.text)
        blocks = blocks_of(delivery.card, delivery.text)
        try:
            answer = posting(lambda: self._posting.chat_postMessage(**message, blocks=blocks))
        except RefusedBlocksError:
            answer = posting(lambda: self._posting.chat_postMessage(**message))
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
            reading(lambda: self._repeating.chat_update(**message, blocks=blocks))
        except RefusedBlocksError:
            reading(lambda: self._repeating.chat_update(**message))
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
            for found in pages(lambda cursor: listed(limit=PAGE, cursor=cursor), "channels"):
                self._channel_ids |= {found["name"]: found["id"], found["id"]: found["id"]}
        return wanted in self._channel_ids

    def _channel_id(self, name: str) -> str:
        """Return the id of a channel; reading, unlike posting, doesn't take a name."""
        if not self.lists(name):
            raise DelayedError(f"Slack lists no channel {name!r}; invite the app", retry_after_s=30)
        return self._channel_ids[name.removeprefix("#")]


def split(reference: str) -> tuple[str, str]:
    """Return channel id and timestamp of a message's reference."""
    channel, _, ts = reference.partition(":")
    return channel, ts


def _is_of(message: Mapping[str, Any], delivery: Delivery) -> bool:
    """Whether a message carries the ids of ``delivery``: another server counts its rows, too."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    same = payload.get(INCIDENT_ID, delivery.card.incident_id) == delivery.card.incident_id
    return same and payload.get(OUTBOX_ID) == str(delivery.outbox_id)


class SlackParameters(Section):
    """Pages on Slack; the settings whose names begin with `slack_` come before these."""

    bot_token: Secret | None = None
    """Bot token (xoxb-...); best as `${NAME}`, read from the environment."""
    signing_secret: Secret | None = None
    """Verifies that button clicks come from Slack; needed with a bot token, but by Socket Mode."""
    app_token: Secret | None = None
    """App token (xapp-...): buttons, commands and forms come by Socket Mode."""
    base_url: Words = SLACK_API
    """Slack's Web API, or a server that speaks it."""
    channel: Words = "incidents"
    """Channel that is paged where no routes are given."""
    war_room: WarRoomParameters | None = None
    """A channel of its own for each bad incident; without it there are none."""


def _made(parameters: SlackParameters) -> SlackNotifier | None:
    token = parameters.bot_token
    if token is None:
        return None
    if parameters.signing_secret is None and parameters.app_token is None:
        raise ConfigError(
            "Slack has a bot token but no signing secret: buttons could not be verified; copy it "
            "from the Slack app's basic information to TOCSIN_SLACK_SIGNING_SECRET, or give an "
            "app token (TOCSIN_SLACK_APP_TOKEN) for Socket Mode"
        )
    return SlackNotifier(token.get_secret_value(), base_url=parameters.base_url)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=SlackParameters,
    make=_made,
    default_channel=lambda parameters: parameters.channel,
    # One message a second and channel; chat.update is of tier 3, fifty a minute.
    messages=Pace(per_s=1.0, burst=4),
    edits=Pace(per_s=0.8, burst=20),
)
