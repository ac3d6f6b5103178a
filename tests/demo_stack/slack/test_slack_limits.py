"""Slack's documented limits: the largest that goes through, and one more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

if TYPE_CHECKING:
    from tests.demo_stack.slack.conftest import LocalSlack

Block = dict[str, Any]


def plain(length: int) -> Block:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> Block:
    return {"type": "mrkdwn", "text": "x" * length}


def button(*, text: int = 5, value: int = 5, action: str = "a", block: str | None = None) -> Block:
    element = {"type": "button", "text": plain(text), "value": "v" * value, "action_id": action}
    shown: Block = {"type": "actions", "elements": [element]}
    return shown if block is None else shown | {"block_id": block}


def buttons(count: int) -> Block:
    each = [{"type": "button", "text": plain(3), "action_id": f"a{i}"} for i in range(count)]
    return {"type": "actions", "elements": each}


BLOCK_LIMITS: dict[str, Callable[[int], list[Block]]] = {
    "blocks 50": lambda n: [{"type": "divider"}] * (50 + n),
    "header 150": lambda n: [{"type": "header", "text": plain(150 + n)}],
    "section 3000": lambda n: [{"type": "section", "text": mrkdwn(3000 + n)}],
    "fields 10": lambda n: [{"type": "section", "fields": [mrkdwn(9)] * (10 + n)}],
    "field 2000": lambda n: [{"type": "section", "fields": [mrkdwn(2000 + n)]}],
    "context 10": lambda n: [{"type": "context", "elements": [mrkdwn(9)] * (10 + n)}],
    "actions 25": lambda n: [buttons(25 + n)],
    "button text 75": lambda n: [button(text=75 + n)],
    "button value 2000": lambda n: [button(value=2000 + n)],
    "action_id 255": lambda n: [button(action="a" * (255 + n))],
    "block_id 255": lambda n: [button(block="b" * (255 + n))],
}


@pytest.mark.parametrize("name", BLOCK_LIMITS)
def test_block_limits(slack: LocalSlack, name: str) -> None:
    """At the limit it goes through; one over is ``invalid_blocks`` with a JSON pointer."""
    make = BLOCK_LIMITS[name]
    assert slack.client.chat_postMessage(channel="incidents", text="t", blocks=make(0))["ok"]
    with pytest.raises(SlackApiError) as caught:
        slack.client.chat_postMessage(channel="incidents", text="t", blocks=make(1))
    assert caught.value.response["error"] == "invalid_blocks"
    [message] = caught.value.response["response_metadata"]["messages"]
    assert "json-pointer:/blocks" in message


@pytest.mark.parametrize(
    "block",
    [
        "text",
        {"type": "nothing"},
        {"type": "section"},
        {"type": "header", "text": mrkdwn(5)},
        {"type": "section", "text": plain(0)},
        {"type": "actions", "elements": []},
        {"type": "actions", "elements": [buttons(1)["elements"][0]] * 2},
        {"type": "actions", "elements": [{"type": "button", "text": plain(3), "style": "pink"}]},
        {"type": "context", "elements": [{"type": "image", "image_url": "http://x"}]},
        {"type": "divider", "block_id": []},
    ],
)
def test_malformed_blocks(slack: LocalSlack, block: dict[str, object]) -> None:
    """Blocks that Block Kit doesn't know are refused."""
    with pytest.raises(SlackApiError) as caught:
        slack.client.chat_postMessage(channel="incidents", text="t", blocks=[block])
    assert caught.value.response["error"] == "invalid_blocks"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("a" * 81, "invalid_name_maxlength"),
        ("", "invalid_name_required"),
        ("Upper", "invalid_name_specials"),
        ("a b", "invalid_name_specials"),
        ("--", "invalid_name_punctuation"),
    ],
)
def test_channel_names(slack: LocalSlack, name: str, error: str) -> None:
    """Channel names follow Slack's rules."""
    assert slack.client.conversations_create(name="a" * 80)["ok"]
    with pytest.raises(SlackApiError) as caught:
        slack.client.conversations_create(name=name)
    assert caught.value.response["error"] == error


def test_text_limits(slack: LocalSlack) -> None:
    """A post takes 40,000 characters, an edit 4,000."""
    posted = slack.client.chat_postMessage(channel="incidents", text="x" * 40_000)
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    slack.client.chat_update(**where, text="x" * 4_000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        slack.client.chat_postMessage(channel="incidents", text="x" * 40_001)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        slack.client.chat_update(**where, text="x" * 4_001)


def test_message_rate_by_channel(slack: LocalSlack) -> None:
    """A short burst goes through, then a message a second; other channels are not affected."""
    for _ in range(5):
        slack.client.chat_postMessage(channel="incidents", text="burst")
    with pytest.raises(SlackApiError) as caught:
        slack.client.chat_postMessage(channel="incidents", text="one too many")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    assert caught.value.response["error"] == "ratelimited"
    slack.client.chat_postMessage(channel="general", text="elsewhere")
    slack.clock.now_s += 1
    slack.client.chat_postMessage(channel="incidents", text="a second later")
    assert len(slack.seen()) == 6


def test_method_tiers(slack: LocalSlack) -> None:
    """Other methods have calls a minute: the 21st of tier 2 must wait three seconds."""
    for _ in range(20):
        slack.client.conversations_list()
    with pytest.raises(SlackApiError) as caught:
        slack.client.conversations_list()
    assert caught.value.response.headers["Retry-After"] == "3"
