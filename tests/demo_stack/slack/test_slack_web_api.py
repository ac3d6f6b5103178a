"""The local Slack answers slack-sdk, its official client, as Slack does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from demo_stack.slack.faults import Fault

if TYPE_CHECKING:
    from tests.demo_stack.slack.conftest import LocalSlack

METADATA = {"event_type": "incident", "event_payload": {"outbox_id": "7"}}


def refused(call: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(*arguments, **named)
    return str(caught.value.response["error"])


def test_token_is_checked(slack: LocalSlack) -> None:
    """Whoever has no token, or another one, gets nothing."""
    assert slack.client.auth_test()["user"] == "tocsin"
    assert refused(WebClient(token="xoxb-no", base_url=f"{slack.url}/api/").auth_test) == (
        "invalid_auth"
    )
    assert slack.http.post("/api/auth.test").json() == {"ok": False, "error": "not_authed"}


def test_message_thread_and_edit(slack: LocalSlack) -> None:
    """One message, edited in place, with a reply in its thread: what a person sees."""
    parent = slack.client.chat_postMessage(channel="#incidents", text="down", metadata=METADATA)
    channel, ts = parent["channel"], parent["ts"]
    slack.client.chat_postMessage(channel=channel, text="looking", thread_ts=ts)
    slack.client.chat_update(channel=channel, ts=ts, text="up again")
    [message] = slack.seen()
    assert message["text"] == "up again"
    assert message["edited_ts"] is not None
    assert [reply["text"] for reply in message["thread"]] == ["looking"]


def test_history_and_replies(slack: LocalSlack) -> None:
    """History is newest first and without replies; metadata comes only when asked for."""
    for text in ("one", "two", "three"):
        slack.clock.now_s += 10
        last = slack.client.chat_postMessage(channel="incidents", text=text, metadata=METADATA)
    channel = last["channel"]
    slack.client.chat_postMessage(channel=channel, text="four", thread_ts=last["ts"])
    page = slack.client.conversations_history(channel=channel, limit=2)
    assert [m["text"] for m in page["messages"]] == ["three", "two"]
    assert page["has_more"]
    cursor = page["response_metadata"]["next_cursor"]
    rest = slack.client.conversations_history(channel=channel, limit=2, cursor=cursor)
    assert [m["text"] for m in rest["messages"]] == ["one"]
    assert "metadata" not in rest["messages"][0]
    whole = slack.client.conversations_history(channel=channel, include_all_metadata=True)
    assert whole["messages"][0]["metadata"] == METADATA
    later = slack.client.conversations_history(channel=channel, oldest=last["ts"], inclusive=True)
    assert [m["text"] for m in later["messages"]] == ["three"]
    thread = slack.client.conversations_replies(channel=channel, ts=last["ts"])
    assert [m["text"] for m in thread["messages"]] == ["three", "four"]


def test_other_methods(slack: LocalSlack) -> None:
    """Channels, people, permalinks and reactions."""
    made = slack.client.conversations_create(name="war-room")["channel"]
    names = [c["name"] for c in slack.client.conversations_list()["channels"]]
    assert names == ["incidents", "general", "war-room"]
    ts = slack.client.chat_postMessage(channel=made["id"], text="hi")["ts"]
    link = slack.client.chat_getPermalink(channel=made["id"], message_ts=ts)["permalink"]
    assert link.endswith(ts.replace(".", ""))
    slack.client.reactions_add(channel=made["id"], timestamp=ts, name="eyes")
    assert slack.seen("war-room")[0]["reactions"] == {"eyes": ["U00TOCSIN"]}
    assert slack.client.users_info(user="U01ONCALL")["user"]["name"] == "on-call"


def test_errors_carry_slacks_codes(slack: LocalSlack) -> None:
    """Each refusal names the code that Slack documents."""
    client, channel = slack.client, slack.channel_id()
    said = slack.http.post(
        "/preview/say", json={"channel": channel, "user": "U1", "text": "hello"}
    ).json()["ts"]
    ours = client.chat_postMessage(channel=channel, text="ours")["ts"]
    client.reactions_add(channel=channel, timestamp=ours, name="eyes")
    cases: list[tuple[str, Callable[..., object], dict[str, object]]] = [
        ("channel_not_found", client.chat_postMessage, {"channel": "nowhere", "text": "x"}),
        (
            "channel_not_found",
            client.chat_update,
            {"channel": "incidents", "ts": ours, "text": "x"},
        ),
        ("message_not_found", client.chat_update, {"channel": channel, "ts": "1.0", "text": "x"}),
        ("cant_update_message", client.chat_update, {"channel": channel, "ts": said, "text": "x"}),
        (
            "no_text",
            client.api_call,
            {"api_method": "chat.postMessage", "json": {"channel": channel}},
        ),
        (
            "thread_not_found",
            client.chat_postMessage,
            {"channel": channel, "text": "x", "thread_ts": "1.0"},
        ),
        ("thread_not_found", client.conversations_replies, {"channel": channel, "ts": "1.0"}),
        (
            "already_reacted",
            client.reactions_add,
            {"channel": channel, "timestamp": ours, "name": "eyes"},
        ),
        ("name_taken", client.conversations_create, {"name": "general"}),
        ("user_not_found", client.users_info, {"user": "U404"}),
        ("invalid_cursor", client.conversations_history, {"channel": channel, "cursor": "?"}),
        (
            "invalid_metadata_format",
            client.chat_postMessage,
            {"channel": channel, "text": "x", "metadata": {"event_type": "x"}},
        ),
    ]
    assert [refused(call, **named) for _, call, named in cases] == [code for code, _, _ in cases]
    assert refused(client.api_call, "no.such") == "unknown_method"


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[1]", "application/json", "json_not_object"),
        (b"\xff", "application/json", "invalid_charset"),
        (b"<a/>", "text/xml", "invalid_post_type"),
    ],
)
def test_odd_bodies(slack: LocalSlack, body: bytes, content_type: str, error: str) -> None:
    """A body that is not what it says is refused by name."""
    answer = slack.http.post(
        "/api/auth.test",
        content=body,
        headers={"Content-Type": content_type, "Authorization": "Bearer xoxb-local"},
    )
    assert answer.json()["error"] == error


def test_oversized_body(slack: LocalSlack) -> None:
    """A body over the limit is not read to its end."""
    answer = slack.http.post("/api/auth.test", content=b"x" * 1_000_001)
    assert answer.status_code == 413


def test_faults_lose_what_they_say(slack: LocalSlack) -> None:
    """A lost reply leaves the message in the channel, a lost request doesn't."""
    for fault in (Fault.LOSE_REPLY, Fault.LOSE_REQUEST):
        slack.faults.arm("chat.postMessage", fault)
        with pytest.raises((URLError, ConnectionError)):
            slack.client.chat_postMessage(channel="incidents", text=fault)
    assert [m["text"] for m in slack.seen()] == ["lose_reply"]
    slack.faults.arm("chat.postMessage", Fault.ERROR_500)
    with pytest.raises(SlackApiError) as caught:
        slack.client.chat_postMessage(channel="incidents", text="x")
    assert caught.value.response.status_code == 500
    slack.client.chat_postMessage(channel="incidents", text="fine again")
