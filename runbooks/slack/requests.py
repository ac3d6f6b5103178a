"""What people ask of us in Slack: commands, forms, shortcuts, reactions. Pure.

The same comes by signed HTTP and by Socket Mode. Each has a key that is the same for every
repetition of Slack's, and is bounded: a stranger may have written any part of it.

Source: https://docs.slack.dev/interactivity/ and https://docs.slack.dev/apis/events-api/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from collectors.errors import DecodeError

MAX_TEXT, MAX_ID, MAX_FIELDS = 3_000, 100, 10
PIN_REACTIONS = frozenset({"pushpin", "round_pushpin", "memo"})
"""A message with one of these under it goes on an incident's record."""

ADD_TO_TIMELINE = "add_to_timeline"
"""Name of the message shortcut that does the same."""


class Kind(StrEnum):
    """Sorts of requests."""

    COMMAND = "command"
    FORM = "form"
    MARK = "mark"
    """A message is to be put on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRequest:
    """Somebody asks something.

    Attributes:
        key: The same for every repetition of the same request.
        kind: What sort.
        user: Member id of who asks.
        channel: Where; empty: nowhere.
        text: Of a command what follows it; of a form its name.
        fields: Of a form what was put in; of a mark ``ts`` of the message.
        trigger: Opens a form within three seconds; empty: can't.
        answer_url: Takes an answer that only who asks sees; empty: none.
    """

    key: str
    kind: Kind
    user: str
    channel: str = ""
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    trigger: str = ""
    answer_url: str = ""


def command_in(form: Mapping[str, Any]) -> SlackRequest:
    """Return the slash command that these fields are.

    Raises:
        DecodeError: Who asked is missing, or what makes it one of its own.
    """
    user, trigger = _text(form, "user_id", MAX_ID), _text(form, "trigger_id", MAX_ID)
    if not user or not trigger:
        raise DecodeError("a command of Slack's has a user_id and a trigger_id")
    return SlackRequest(
        key=f"command/{trigger}",
        kind=Kind.COMMAND,
        user=user,
        channel=_text(form, "channel_id", MAX_ID),
        text=_text(form, "text", MAX_TEXT).strip(),
        trigger=trigger,
        answer_url=_text(form, "response_url", 500),
    )


def request_in(payload: Mapping[str, Any]) -> SlackRequest | None:
    """Return what an interaction asks beside presses of buttons; None: nothing of ours.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    try:
        if payload.get("type") == "view_submission":
            return _form(payload)
        if payload.get("type") == "message_action":
            return _shortcut(payload)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DecodeError(f"the payload is no interaction of Slack's: {error!r}") from error
    return None


def event_in(payload: Mapping[str, Any]) -> SlackRequest | None:
    """Return what an event asks; None: nothing of ours.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    try:
        event = payload.get("event") or {}
        item = event.get("item") or {}
        if event.get("type") != "reaction_added" or item.get("type") != "message":
            return None
        if str(event["reaction"]).partition("::")[0] not in PIN_REACTIONS:
            return None
        return SlackRequest(
            key=f"event/{_text(payload, 'event_id', MAX_ID) or event['event_ts']}"[:200],
            kind=Kind.MARK,
            user=_text(event, "user", MAX_ID),
            channel=_text(item, "channel", MAX_ID),
            fields={"ts": _text(item, "ts", MAX_ID)},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DecodeError(f"the payload is no event of Slack's: {error!r}") from error


def _form(payload: Mapping[str, Any]) -> SlackRequest:
    view = payload["view"]
    found: dict[str, str] = {}
    for block, actions in list(view["state"]["values"].items())[:MAX_FIELDS]:
        for action in actions.values():
            chosen = action.get("selected_option") or {}
            value = action.get("value") or chosen.get("value") or action.get("selected_user") or ""
            found[str(block)[:MAX_ID]] = str(value)[:MAX_TEXT].strip()
    found["incident"] = _text(view, "private_metadata", MAX_ID)
    return SlackRequest(
        key=f"form/{view['id']}"[:200],
        kind=Kind.FORM,
        user=_text(payload["user"], "id", MAX_ID),
        text=_text(view, "callback_id", MAX_ID),
        fields=found,
    )


def _shortcut(payload: Mapping[str, Any]) -> SlackRequest | None:
    if payload.get("callback_id") != ADD_TO_TIMELINE:
        return None
    message, user = payload["message"], _text(payload["user"], "id", MAX_ID)
    return SlackRequest(
        key=f"shortcut/{payload['action_ts']}/{user}"[:200],
        kind=Kind.MARK,
        user=user,
        channel=_text(payload["channel"], "id", MAX_ID),
        fields={"ts": _text(message, "ts", MAX_ID)},
        answer_url=_text(payload, "response_url", 500),
    )


def _text(found: Mapping[str, Any], name: str, longest: int) -> str:
    value = found.get(name)
    return str(value)[:longest] if isinstance(value, str | int | float) else ""
