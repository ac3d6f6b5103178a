"""Buttons from Slack to the incident over real sockets, and everything that must be refused."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from collectors.clock import ManualClock
from demo_stack.slack.interactions import signature
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding, ServeDesk

PATH = "/slack/interactions"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

Room = tuple[IncidentDesk, httpx2.Client]
"""A desk, and a client of its routes on a real socket."""


@pytest.fixture
def room(make_desk: MakeDesk, slack: LocalSlack, serve_desk: ServeDesk) -> Room:
    """A desk behind a real server, that the local Slack sends its interactions to."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    desk = make_desk(notifiers=[slack.notifier], routes=routes)
    http = serve_desk(desk)
    slack.http.post("/preview/interactivity", json={"url": str(http.base_url.join(PATH))})
    return desk, http


@pytest.fixture
def incident(room: Room, make_finding: MakeFinding) -> Incident:
    desk, _ = room
    desk.receive(make_finding())
    desk.tick()
    return desk.ledger.incidents()[0]


def click(slack: LocalSlack, action_id: str, channel: str = "incidents") -> Any:
    [message] = slack.seen()
    asked = {"channel": channel, "ts": message["ts"], "action_id": action_id, "user": "U7"}
    return slack.http.post("/preview/click", json=asked).json()


def payload(
    incident: Incident,
    *,
    action_ts: str = "1.5",
    user: str = "U7",
    action_id: str = "incident.acknowledge",
) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": user},
        "actions": [{"action_id": action_id, "value": incident.id, "action_ts": action_ts}],
    }


def signed(
    clock: ManualClock, shown: dict[str, Any], *, secret: str = "shhh", age_s: int = 0
) -> dict[str, Any]:
    body = urlencode({"payload": json.dumps(shown)}).encode()
    stamp = str(clock.now_ms() // 1000 - age_s)
    return {
        "content": body,
        "headers": HEADERS
        | {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(secret, stamp, body),
        },
    }


def test_acknowledge_then_resolve(
    room: Room,
    incident: Incident,
    slack: LocalSlack,
    clock: ManualClock,
) -> None:
    """A press changes the incident and the message, which then offers what is left to do."""
    desk, _ = room
    assert click(slack, "incident.acknowledge") == {"ok": True, "status": 200}
    desk.tick()
    acknowledged = desk.ledger.incident(incident.id)
    assert acknowledged.acknowledged_by == "slack:U7"
    assert acknowledged.status is Status.INVESTIGATING
    assert click(slack, "incident.acknowledge")["error"] == "action_not_found"
    assert click(slack, "incident.resolve")["ok"]
    for _ in range(10):
        clock.advance_ms(1_000)
        desk.tick()
    assert desk.ledger.incident(incident.id).status is Status.RESOLVED
    assert desk.ledger.incident(incident.id).post_mortem_ms is not None


def test_repeated_press_counts_once(room: Room, incident: Incident, clock: ManualClock) -> None:
    """Slack repeats what it thinks was lost: the same press is carried out once."""
    desk, http = room
    for _ in range(3):
        assert http.post(PATH, **signed(clock, payload(incident))).status_code == 200
        desk.tick()
    kinds = [event.kind for event in desk.ledger.events(incident.id)]
    assert kinds.count(EventKind.ACKNOWLEDGED) == 1
    assert EventKind.NOTE not in kinds


def test_second_person_is_told(room: Room, incident: Incident, clock: ManualClock) -> None:
    """Another person's press of an outdated button is answered in the thread."""
    desk, http = room
    for user in ("U7", "U8"):
        http.post(PATH, **signed(clock, payload(incident, user=user)))
        desk.tick()
    notes = [e.text for e in desk.ledger.events(incident.id) if e.kind is EventKind.NOTE]
    assert len(notes) == 1
    assert "acknowledged by slack:U7 before" in notes[0]


FORGED: dict[str, tuple[dict[str, str | bytes], dict[str, Any]]] = {
    "another secret": ({}, {"secret": "guess"}),
    "five minutes and a second old": ({}, {"age_s": 301}),
    "from the future": ({}, {"age_s": -301}),
    "no timestamp": ({"X-Slack-Request-Timestamp": ""}, {}),
    "timestamp in words": ({"X-Slack-Request-Timestamp": "yesterday"}, {}),
    "timestamp not finite": ({"X-Slack-Request-Timestamp": "nan"}, {}),
    "no signature": ({"X-Slack-Signature": ""}, {}),
    "signature not ASCII": ({"X-Slack-Signature": "v0=ü".encode()}, {}),
    "another version": ({"X-Slack-Signature": "v1=00"}, {}),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_signatures(room: Room, incident: Incident, clock: ManualClock, name: str) -> None:
    """401 for whatever is not signed by Slack within five minutes; nothing changes."""
    desk, http = room
    changes, how = FORGED[name]
    request = signed(clock, payload(incident), **how)
    request["headers"] |= changes
    answer = http.post(PATH, **request)
    assert answer.status_code == 401
    assert answer.json()["type"] == "error"
    desk.tick()
    assert desk.ledger.incident(incident.id).acknowledged_by is None


def test_body_changed_after_signing(room: Room, incident: Incident, clock: ManualClock) -> None:
    """The signature covers the body."""
    _, http = room
    request = signed(clock, payload(incident))
    request["content"] = request["content"].replace(b"acknowledge", b"resolve")
    assert http.post(PATH, **request).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"payload=", b"payload={", b"payload=1", b"payload={}", b"payload=[1]", b"\xff\xfe"),
        b'payload={"type": "block_actions"}',
        b'payload={"type": "block_actions", "actions": [1]}',
        b"payload=" + b"[" * 50_000,
    ],
)
def test_odd_bodies_rightly_signed(room: Room, clock: ManualClock, body: bytes) -> None:
    """Whatever is inside: an answer below 500, and the process lives."""
    _, http = room
    stamp = str(clock.now_ms() // 1000)
    headers = {"X-Slack-Request-Timestamp": stamp}
    headers["X-Slack-Signature"] = signature("shhh", stamp, body)
    answer = http.post(PATH, content=body, headers=HEADERS | headers)
    assert answer.status_code in {200, 400, 401}


def test_oversized_body(room: Room) -> None:
    """A body over the limit is refused before its signature is looked at."""
    _, http = room
    assert http.post(PATH, content=b"x" * 300_000, headers=HEADERS).status_code == 413


def test_unknown_buttons_and_incidents(room: Room, incident: Incident, clock: ManualClock) -> None:
    """Buttons that are not ours do nothing; an unknown incident does not stop the others."""
    desk, http = room
    other = payload(incident, action_id="somebody.elses")
    unknown = payload(incident, action_ts="2.0")
    unknown["actions"][0]["value"] = "inc-9999"
    for shown in (other, unknown, payload(incident, action_ts="3.0")):
        assert http.post(PATH, **signed(clock, shown)).status_code == 200
    desk.tick()
    assert desk.ledger.incident(incident.id).acknowledged_by == "slack:U7"


def test_without_a_secret_everything_is_refused(
    make_desk: MakeDesk, serve_desk: ServeDesk, clock: ManualClock, incident: Incident
) -> None:
    """No signing secret is no way in."""
    http = serve_desk(make_desk(slack_signing_secret=""))
    answer = http.post(PATH, **signed(clock, payload(incident), secret=""))
    assert answer.status_code == 401


def test_a_press_survives_the_process(
    room: Room,
    make_desk: MakeDesk,
    incident: Incident,
    clock: ManualClock,
) -> None:
    """What Slack was told is taken is carried out, if need be by the next process."""
    desk, http = room
    assert http.post(PATH, **signed(clock, payload(incident))).status_code == 200
    desk.ledger.sharing.close()  # it has died
    again = make_desk()
    again.tick()
    assert again.ledger.incident(incident.id).acknowledged_by == "slack:U7"
