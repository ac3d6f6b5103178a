"""Presses of buttons, as Slack sends them: verified, acknowledged at once, carried out after.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier

from collectors.clock import Clock
from collectors.errors import DecodeError, ForbiddenError
from collectors.json_text import read_plain
from runbooks.notifiers.slack_layout import ACKNOWLEDGE, RESOLVE

MAX_BODY_BYTES = 200_000
MAX_AGE_S = 300
MAX_FIELDS = 40
FROM_SLACK = "slack:"
"""Before the member id of who did something in Slack."""

TIMESTAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Somebody pressed a button of an incident.

    Attributes:
        key: The same for every repetition of the same press.
        action_id: Which button.
        incident_id: Of which incident; the button's only load.
        user: Who, as ``slack:<id>``.
    """

    key: str
    action_id: str
    incident_id: str
    user: str


class _SecondsClock(SlackClock):
    """slack-sdk's clock on ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now_ms() / 1000


def verify(secret: str, clock: Clock, headers: Mapping[str, str], body: bytes) -> None:
    """Check that Slack signed ``body`` within the last five minutes.

    slack-sdk's verifier raises on some forged headers (a timestamp that is no number, a signature
    that is not ASCII, a body that is not UTF-8: measured); whatever it raises means *no*.

    Raises:
        ForbiddenError: In every other case.
    """
    if not secret:
        raise ForbiddenError("no Slack signing secret is set; set it to take interactions")
    timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    verifier = SignatureVerifier(secret, _SecondsClock(clock))
    try:
        age_s = abs(clock.now_ms() / 1000 - int(timestamp))
        genuine = verifier.is_valid(body, timestamp, signature)
    except Exception as error:
        raise ForbiddenError("the request is not signed as Slack signs") from error
    if age_s > MAX_AGE_S:
        raise ForbiddenError(
            f"the request was signed {age_s:.0f} s away from our time, more than {MAX_AGE_S}; "
            "is this machine's clock right?"
        )
    if not genuine:
        raise ForbiddenError("the signature is wrong")


def interaction_of(body: bytes) -> Mapping[str, Any]:
    """Return the payload of a form-encoded interaction.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    try:
        payload = read_plain(command_of(body)["payload"].encode())
    except KeyError as error:
        raise DecodeError("the body is no interaction of Slack's: it has no payload") from error
    if not isinstance(payload, dict):
        raise DecodeError("the interaction of Slack's is no object")
    return payload


def command_of(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form, as a slash command has them.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    try:
        form = parse_qs(body.decode(), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise DecodeError(f"the body is no form of Slack's: {error!r}") from error
    return {name: values[0] for name, values in form.items()}


def presses_in(payload: Mapping[str, Any]) -> list[Press]:
    """Return the presses of our buttons that an interaction holds.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    if payload.get("type") != "block_actions":
        return []
    try:
        return [p for action in payload["actions"] if (p := _press(payload, action))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DecodeError(f"the payload is no interaction of Slack's: {error!r}") from error


def _press(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Press | None:
    action_id = action["action_id"]
    if action_id not in {ACKNOWLEDGE, RESOLVE}:
        return None
    user = str(payload["user"]["id"])[:60]
    return Press(
        key=f"{action['action_ts']}/{user}/{action_id}"[:200],
        action_id=action_id,
        incident_id=str(action["value"])[:32],
        user=f"{FROM_SLACK}{user}",
    )
