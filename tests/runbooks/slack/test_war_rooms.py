"""War rooms in a local Slack: made once, named by its rules, told what changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.clock import ManualClock
from collectors.errors import DocumentError
from demo_stack.slack.faults import Answer, Fault
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, Assign, SetSeverity, SetStatus
from runbooks.incidents.states import Role, Severity, Status
from runbooks.notifiers.settling import load_notifiers
from runbooks.notifiers.slack import SlackParameters
from runbooks.paging.routing import Routes, Target
from runbooks.slack.opening import answer_slack
from runbooks.slack.rooms import SlackRooms, room_name
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding

NAME = "inc-0001-playback"
Room = Callable[..., tuple[IncidentDesk, str]]


@pytest.fixture
def room(make_desk: MakeDesk, slack: LocalSlack, make_finding: MakeFinding, tmp_path: Path) -> Room:
    """Makes a desk that keeps war rooms, with an incident."""

    def make(
        war_room: str = "{severities: [SEV1, SEV2], archive: true}",
        *,
        instead: bool = False,
        **finding: Any,
    ) -> Any:
        path = tmp_path / "notifiers.yaml"
        told = f"bot_token: xoxb-test, signing_secret: s, base_url: '{slack.url}/api'"
        path.write_text(f"slack: {{{told}, war_room: {war_room}}}")
        parameters = load_notifiers(path)["slack"]
        assert isinstance(parameters, SlackParameters)
        routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
        desk = make_desk(instead=instead, notifiers=[slack.notifier], routes=routes)
        answer_slack(desk, parameters)
        if not desk.ledger.incidents():
            desk.receive(make_finding(**finding))
        desk.tick()
        return desk, next(i.id for i in desk.ledger.incidents() if "tocsin" not in i.title)

    return make


def channel(slack: LocalSlack, name: str = NAME) -> dict[str, Any]:
    channels = slack.http.get("/preview/messages").json()["channels"]
    found: dict[str, Any] = next(c for c in channels if c["name"] == name)
    return found


def names(slack: LocalSlack) -> list[str]:
    channels = slack.http.get("/preview/messages").json()["channels"]
    return [c["name"] for c in channels if c["name"] not in {"incidents", "general"}]


def settle(desk: IncidentDesk, clock: ManualClock, seconds: int = 40) -> None:
    for _ in range(0, seconds, 5):
        clock.advance_ms(5_000)
        desk.tick()


def test_a_room_has_what_people_need(room: Room, slack: LocalSlack) -> None:
    """Who comes in would have to ask what it is about, and where to look."""
    desk, incident_id = room()
    made = channel(slack)
    assert made["topic"].startswith("SEV2 · triage · commander: nobody yet · Playback starts fail")
    [summary] = made["messages"]
    assert made["pins"] == [summary["ts"]]
    assert "[SEV2] Playback starts fail" in summary["text"]
    assert [b["title"] for b in made["bookmarks"]][:2] == ["War room", "Exemplar trace"]
    notes = [e.text for e in desk.ledger.events(incident_id) if e.data.get("war_room")]
    assert notes == [f"war room in Slack: #{NAME}"]


def test_changes_are_told_and_shown(room: Room, slack: LocalSlack, clock: ManualClock) -> None:
    """The room would know less than the channel that pages."""
    desk, incident_id = room()
    desk.execute(incident_id, Acknowledge(actor="slack:U01ONCALL"))
    desk.execute(incident_id, Assign(role=Role.COMMANDER, person="slack:U02LEAD", actor="ann"))
    settle(desk, clock)
    desk.execute(incident_id, SetSeverity(severity=Severity.SEV1, actor="<!channel>"))
    settle(desk, clock)
    made = channel(slack)
    said = [m["text"] for m in made["messages"][1:]]
    assert len(said) == 2
    assert "commander" in said[0]
    assert "&lt;!channel&gt;" in said[1]
    assert made["topic"].startswith("SEV1 · investigating · commander: slack:U02LEAD")
    assert made["members"] == ["U00TOCSIN", "U02LEAD"]
    assert "[SEV1]" in made["messages"][0]["text"]
    desk.execute(incident_id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.execute(incident_id, SetStatus(status=Status.CLOSED, actor="ann"))
    settle(desk, clock)
    made = channel(slack)
    assert made["archived"]
    assert "closed" in made["messages"][-1]["text"]


FAULTS = [
    ("conversations.create", Fault.LOSE_REPLY),
    ("conversations.create", Fault.LOSE_REQUEST),
    ("conversations.setPurpose", Fault.LOSE_REPLY),
    ("chat.postMessage", Fault.LOSE_REPLY),
    ("chat.postMessage", Fault.ERROR_500),
    ("pins.add", Fault.LOSE_REPLY),
    ("bookmarks.add", Fault.LOSE_REPLY),
]


@pytest.mark.parametrize(("method", "fault"), FAULTS)
def test_nothing_is_made_twice(
    room: Room, slack: LocalSlack, clock: ManualClock, method: str, fault: Fault
) -> None:
    """A lost answer, as a process killed at any step, leaves one room with one summary."""
    slack.faults.arm(method, fault, times=2)
    desk, incident_id = room()
    settle(desk, clock, 30)
    desk.execute(incident_id, Acknowledge(actor="ann"))
    slack.faults.arm("chat.postMessage", fault, times=2)
    settle(desk, clock, 60)
    assert names(slack) == [NAME]
    made = channel(slack)
    assert len(made["pins"]) == 1
    assert [("acknowledged" in m["text"]) for m in made["messages"]] == [False, True]
    titles = [b["title"] for b in made["bookmarks"]]
    assert len(titles) == len(set(titles)) >= 2


class KilledError(BaseException):
    """As far as anything in the process can tell, it is dead."""


STEPS = ["create", "describe", "say", "pin", "set_topic", "bookmark"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step(
    room: Room,
    slack: LocalSlack,
    clock: ManualClock,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next process finds what there is, and goes on."""
    whole = getattr(SlackRooms, step)

    def killed(self: SlackRooms, *arguments: Any, **named: Any) -> None:
        whole(self, *arguments, **named)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(SlackRooms, step, killed)
        with pytest.raises(KilledError):
            room()
    desk, _ = room(instead=True)
    settle(desk, clock)
    assert names(slack) == [NAME]
    made = channel(slack)
    assert len(made["messages"]) == len(made["pins"]) == 1
    assert made["topic"]


def test_a_name_that_is_taken_gets_a_number(room: Room, slack: LocalSlack) -> None:
    """The room would be somebody else's channel."""
    headers = {"Authorization": "Bearer xoxb-test"}
    slack.http.post("/api/conversations.create", json={"name": NAME}, headers=headers)
    theirs = channel(slack)
    told = {"channel": theirs["id"], "purpose": "War room of inc-0002: another"}
    slack.http.post("/api/conversations.setPurpose", json=told, headers=headers)
    room()
    assert names(slack) == [NAME, f"{NAME}-2"]


def test_a_missing_scope_is_told_and_pages_go_on(
    room: Room, slack: LocalSlack, clock: ManualClock
) -> None:
    """Nobody would know why there is no room; the page itself must not wait for it."""
    slack.faults.stand(Answer.error("missing_scope"), "conversations.create")
    desk, _ = room()
    assert any("[SEV2] Playback" in m["text"] for m in slack.seen())
    settle(desk, clock)
    assert ["missing_scope; add the scope" in f.reason for f in desk.faults.present()] == [True]
    slack.faults.mend("conversations.create")
    settle(desk, clock, 120)
    assert names(slack) == [NAME]
    assert desk.faults.present() == []


def test_mild_incidents_get_none(room: Room, slack: LocalSlack) -> None:
    """A channel for each ticket would be muted by everybody."""
    room("{severities: SEV1}")
    assert names(slack) == []


def test_names_must_tell_incidents_apart(room: Room) -> None:
    """Two incidents would share a room."""
    with pytest.raises(DocumentError, match=r"must have \{id\} in it"):
        room("{name: war-room}")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("Play Back/API", "inc-0007-play-back-api"),
        ("", "inc-0007"),
        ("日本", "inc-0007"),
        ("--a--b--", "inc-0007-a-b"),
        ("x" * 200, "inc-0007-" + "x" * 71),
    ],
)
def test_names_follow_slacks_rules(service: str, name: str) -> None:
    """`invalid_name_maxlength`: the room would silently not be made."""
    assert room_name("inc-{id}-{service}", "inc-0007", service) == name
    assert len(room_name("inc-{id}-{service}", "inc-0007", service, again=9)) <= 80
