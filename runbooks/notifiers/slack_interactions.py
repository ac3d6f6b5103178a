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
        genuine = age_s <= MAX_AGE_S and verifier.is_valid(body, timestamp, signature)
    except Exception as error:
        raise ForbiddenError("the request is not signed as Slack signs") from error
    if not genuine:
        raise ForbiddenError("the signature is wrong or older than five minutes")


def presses(body: bytes) -> list[Press]:
    """Return the presses of our buttons that a verified body holds.

    Raises:
        DecodeError: It is not what Slack sends.
    """
    try:
        form = parse_qs(body.decode(), max_num_fields=20)
        payload = read_plain(form["payload"][0].encode())
        if not isinstance(payload, dict) or payload.get("type") != "block_actions":
            return []
        return [p for action in payload["actions"] if (p := _press(payload, action))]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise DecodeError(f"the body is no interaction of Slack's: {error!r}") from error


def _press(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Press | None:
    action_id = action["action_id"]
    if action_id not in {ACKNOWLEDGE, RESOLVE}:
        return None
    user = str(payload["user"]["id"])[:60]
    return Press(
        key=f"{action['action_ts']}/{user}/{action_id}"[:200],
        action_id=action_id,
        incident_id=str(action["value"])[:32],
        user=f"slack:{user}",
    )
