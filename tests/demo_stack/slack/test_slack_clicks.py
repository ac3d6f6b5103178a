"""Pressing a button sends what Slack sends: signed, with a response URL that runs out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx2
import pytest
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.webhook import WebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo_stack.slack.server import serving

if TYPE_CHECKING:
    from tests.demo_stack.slack.conftest import LocalSlack

BLOCKS = [
    {
        "type": "actions",
        "block_id": "incident:7",
        "elements": [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Acknowledge"},
                "action_id": "incident.acknowledge",
                "value": "7",
            }
        ],
    }
]


class At(Clock):
    def __init__(self, now_s: float) -> None:
        self._now_s = now_s

    def now(self) -> float:
        return self._now_s


@pytest.fixture
def received(slack: LocalSlack) -> Iterator[list[tuple[dict[str, str], bytes]]]:
    """An app that notes every request it gets; its URL is set at the local Slack."""
    requests: list[tuple[dict[str, str], bytes]] = []

    async def take(request: Request) -> Response:
        requests.append((dict(request.headers), await request.body()))
        return Response(status_code=200)

    app = Starlette(routes=[Route("/slack/interactions", take, methods=["POST"])])
    with serving(lambda _hangup: app) as url:
        slack.http.post("/preview/interactivity", json={"url": f"{url}/slack/interactions"})
        yield requests


def press(slack: LocalSlack, **changes: object) -> httpx2.Response:
    posted = slack.client.chat_postMessage(channel="incidents", text="down", blocks=BLOCKS)
    click = {
        "channel": posted["channel"],
        "ts": posted["ts"],
        "action_id": "incident.acknowledge",
        "user": "U01ONCALL",
    }
    return slack.http.post("/preview/click", json=click | changes)


def test_click_is_signed_and_complete(
    slack: LocalSlack, received: list[tuple[dict[str, str], bytes]]
) -> None:
    """slack-sdk's verifier accepts the request; the payload names action, user and message."""
    assert press(slack).json() == {"ok": True, "status": 200}
    [(headers, body)] = received
    clock = At(slack.clock.now_s)
    assert SignatureVerifier("shhh", clock).is_valid_request(body, headers)
    assert not SignatureVerifier("other", clock).is_valid_request(body, headers)
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U01ONCALL"
    [action] = payload["actions"]
    assert (action["action_id"], action["value"]) == ("incident.acknowledge", "7")
    assert action["block_id"] == "incident:7"
    assert payload["message"]["ts"] == payload["container"]["message_ts"]


def test_response_url_runs_out(
    slack: LocalSlack, received: list[tuple[dict[str, str], bytes]]
) -> None:
    """A response URL takes five answers within half an hour."""
    press(slack)
    url = json.loads(parse_qs(received[0][1].decode())["payload"][0])["response_url"]
    client = WebhookClient(url)
    assert client.send(text="resolved", replace_original=True).status_code == 200
    assert slack.seen()[0]["text"] == "resolved"
    assert client.send(text="only for you", response_type="ephemeral").status_code == 200
    assert slack.http.get("/preview/messages").json()["ephemeral"][0]["text"] == "only for you"
    assert client.send(text="all", response_type="in_channel").status_code == 200
    assert [client.send(text="again").status_code for _ in range(3)] == [200, 200, 400]
    press(slack)
    url = json.loads(parse_qs(received[1][1].decode())["payload"][0])["response_url"]
    slack.clock.now_s += 1_801
    assert "expired_url" in WebhookClient(url).send(text="late").body


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"action_id": "no.such"}, "action_not_found"),
        ({"ts": "1.0"}, "message_not_found"),
        ({"channel": "nowhere"}, "channel_not_found"),
    ],
)
def test_clicks_on_nothing(
    slack: LocalSlack,
    received: list[tuple[dict[str, str], bytes]],
    changes: dict[str, str],
    error: str,
) -> None:
    """A click on what isn't there says so and sends nothing."""
    answer = press(slack, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert received == []


def test_app_that_is_down(slack: LocalSlack) -> None:
    """An app that can't be reached is reported, not raised."""
    assert press(slack).json()["error"] == "no_interactivity_url"
    slack.http.post("/preview/interactivity", json={"url": "http://127.0.0.1:9/"})
    assert press(slack).json()["error"] == "operation_timeout"


@pytest.mark.processes
def test_own_process_prints_its_url() -> None:
    """The module serves on a free port and says where, in one line of JSON."""
    command = [sys.executable, "-m", "demo_stack.slack", "--signing-secret", "s", "--token", "t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            answer = WebhookClient(f"{url}/api/auth.test?token=t").send(text="")
            assert json.loads(answer.body)["user"] == "tocsin"
        finally:
            process.terminate()
