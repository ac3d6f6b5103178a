"""``/incident``, forms, shortcuts and reactions, by signed HTTP and by Socket Mode."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from collectors.clock import ManualClock
from demo_stack.slack.app import slack_app
from demo_stack.slack.faults import Answer
from demo_stack.slack.interactions import signature
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.settling import load_notifiers
from runbooks.notifiers.slack import SlackParameters
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import Person
from runbooks.paging.routing import Routes, Target
from runbooks.slack.opening import answer_slack
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding, ServeDesk, Swap

USER = "U01ONCALL"
ANA = Person(id="ana", name="Ana Silva", slack=USER, role="responder")


BOTH = pytest.mark.parametrize("transport", ["http", "socket"], indirect=True)


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """How Slack tells: ``http``, or by Socket Mode where a test asks for it."""
    return str(getattr(request, "param", "http"))


@pytest.fixture
def desk(
    transport: str,
    make_desk: MakeDesk,
    slack: LocalSlack,
    slack_socket: tuple[httpx2.Client, Swap],
    serve_desk: ServeDesk,
    make_finding: MakeFinding,
    clock: ManualClock,
    tmp_path: Path,
) -> IncidentDesk:
    """A desk with an incident, that hears what people do in Slack."""
    told = f"bot_token: xoxb-test, signing_secret: shhh, base_url: '{slack.url}/api'"
    if transport == "socket":
        told += ", app_token: xapp-test"
        slack_socket[1].app = slack_app(
            token="xoxb-test",
            signing_secret="shhh",
            now=lambda: clock.now_ms() / 1000,
            faults=slack.faults,
            app_token="xapp-test",
        )
    path = tmp_path / "notifiers.yaml"
    path.write_text(f"slack: {{{told}, war_room: {{severities: SEV2}}}}")
    parameters = load_notifiers(path)["slack"]
    assert isinstance(parameters, SlackParameters)
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    made = make_desk(notifiers=[slack.notifier], routes=routes)
    answer_slack(made, parameters)
    http = serve_desk(made)
    url = str(http.base_url.join("/slack/interactions"))
    if transport == "http":
        slack.http.post("/preview/interactivity", json={"url": url})
    made.receive(make_finding())
    made.tick()
    return made


Ask = Callable[..., str]


@pytest.fixture
def ask(desk: IncidentDesk, slack: LocalSlack) -> Ask:
    """Has somebody write ``/incident …``; returns what that person then reads."""

    def say(text: str, *, user: str = USER, channel: str = "general", repeated: int = 1) -> str:
        asked = {"channel": channel, "user": user, "text": text, "repeated": repeated}
        before = len(heard(slack, user))
        answer = slack.http.post("/preview/command", json=asked).json()
        assert answer == {"ok": True, "status": 200}
        desk.tick()
        return "\n".join(heard(slack, user)[before:])

    return say


def staff(desk: IncidentDesk, person: Person) -> None:
    """Let ``people.yaml`` name one person."""
    duty = Duty(people={person.id: person})
    desk.use(routes=desk.ledger.routes, duty=duty, library=(), measures=desk.measures)


def heard(slack: LocalSlack, user: str) -> list[str]:
    told = slack.http.get("/preview/messages").json()["ephemeral"]
    return [answer["text"] for answer in told if answer["user"] == user]


def the(desk: IncidentDesk) -> Incident:
    return desk.ledger.incident("inc-0001")


@BOTH
def test_commands_do_what_they_say(desk: IncidentDesk, ask: Ask) -> None:
    """Each subcommand acts on the incident and answers who asked."""
    assert "*inc-0001* [SEV2] Playback starts fail" in ask("list")
    assert ask("ack").startswith("Yours: *inc-0001*")
    assert the(desk).acknowledged_by == f"slack:{USER}"
    assert "SEV1" in ask("sev 1 it spreads")
    assert the(desk).severity is Severity.SEV1
    assert ask("status inc-0001 identified a bad deploy").endswith("identified")
    assert "*Region* us-east-1" in ask("status")
    assert ask("role commander <@U02LEAD|lead>") == "slack:U02LEAD is commander of inc-0001."
    assert ask("note looking at <!channel> & more") == "Noted on inc-0001."
    assert ask("oncall") == "There is no schedule; write one below oncall/."
    assert "*Streams fail to start*" in ask("runbook")
    assert ask("resolve inc-0001 rolled back").endswith("resolved")
    assert the(desk).status is Status.RESOLVED
    texts = [event.text for event in desk.ledger.events("inc-0001")]
    assert sum("looking at <!channel> & more" in text for text in texts) == 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "/incident list"),
        ("help", "`/incident sev [ID] SEV1…4 [why]`"),
        ("frobnicate <!channel>", "There is no `frobnicate`"),
        ("sev 9", "'SEV9' is none of SEV1"),
        ("role king", "'king' is none of commander"),
        ("note", "a note needs a text"),
        ("status inc-0001 <!here>", "'&lt;!here&gt;' is none of triage"),
        ("ack inc-9999", "there is no incident 'inc-9999'"),
        ("silence playback", "say for how long first"),
        ("silence 2h", "a silence needs a comment"),
        ("task paint", "write /incident task add"),
    ],
)
def test_what_is_not_possible_is_said(ask: Ask, text: str, answer: str) -> None:
    """Who mistypes at night is told what would be right, and rings nobody."""
    said = ask(text)
    assert answer in said
    assert "<!" not in said


def test_a_second_acknowledgement_is_answered(ask: Ask) -> None:
    """Who is too late learns who is on it."""
    ask("ack")
    assert USER in ask("ack", user="U02LEAD")


@BOTH
def test_repetitions_of_slacks_do_nothing(desk: IncidentDesk, ask: Ask) -> None:
    """Slack sends again what it thinks was not acknowledged."""
    ask("note only once", repeated=3)
    texts = [event.text for event in desk.ledger.events("inc-0001")]
    assert sum("only once" in text for text in texts) == 1


def test_strangers_may_only_look(desk: IncidentDesk, ask: Ask, slack: LocalSlack) -> None:
    """Whoever is in the workspace could resolve an incident."""
    staff(desk, ANA)
    assert "may only look" in ask("ack", user="U66STRANGER")
    assert "*inc-0001*" in ask("list", user="U66STRANGER")
    message = slack.seen()[0]
    pressed = {"channel": "incidents", "ts": message["ts"], "user": "U66STRANGER"}
    slack.http.post("/preview/click", json={**pressed, "action_id": "incident.acknowledge"})
    desk.tick()
    staff(desk, replace(ANA, role="viewer"))
    assert "Ana Silva may only look: acknowledge needs" in ask("ack")
    assert the(desk).acknowledged_by is None
    staff(desk, ANA)
    assert ask("ack").startswith("Yours")
    assert the(desk).acknowledged_by == "Ana Silva"
    assert ask(f"role liaison <@{USER}>") == "Ana Silva is liaison of inc-0001."


@BOTH
def test_forms(desk: IncidentDesk, ask: Ask, slack: LocalSlack) -> None:
    """Update and resolve ask in a form, and do what was put in."""

    def send(values: dict[str, str]) -> None:
        [view] = slack.http.get("/preview/messages").json()["views"]
        sent = {"view": view["id"], "user": USER, "values": values}
        assert slack.http.post("/preview/submit", json=sent).json()["ok"]
        desk.tick()

    assert ask("update") == ""
    send({"text": "half of it is back", "status": "identified"})
    assert the(desk).status is Status.IDENTIFIED
    assert ask("resolve") == ""
    send({"text": "rolled back"})
    assert the(desk).status is Status.RESOLVED
    texts = [event.text for event in desk.ledger.events("inc-0001")]
    assert sum("half of it is back" in text for text in texts) == 1
    assert any("rolled back" in text for text in texts)


def test_declare(desk: IncidentDesk, ask: Ask, slack: LocalSlack, clock: ManualClock) -> None:
    """Who sees something that no rule sees has it paged, once, by a line or by a form."""
    assert ask("declare SEV1 nobody can log in", repeated=2).startswith("Declared: *inc-0002*")
    assert ask("declare") == ""
    [view] = slack.http.get("/preview/messages").json()["views"]
    values = {"title": "carts <!here> vanish", "severity": "SEV3", "service": "cart"}
    sent = {"view": view["id"], "user": USER, "values": values, "repeated": 2}
    assert slack.http.post("/preview/submit", json=sent).json()["ok"]
    desk.tick()
    clock.advance_ms(5_000)
    desk.tick()
    said = {i.id: (i.title, i.severity) for i in desk.ledger.incidents()}
    assert len(said) == 3
    assert said["inc-0002"] == ("nobody can log in", Severity.SEV1)
    assert said["inc-0003"] == ("carts <!here> vanish", Severity.SEV3)
    assert [m["text"][:24] for m in slack.seen()][1:] == [
        "[SEV1] nobody can log in",
        "[SEV3] carts &lt;!here&g",
    ]


def test_what_is_to_be_done(desk: IncidentDesk, ask: Ask) -> None:
    """Updates, tasks and silences need no other window."""
    assert ask("update half of it is back") == "Told for inc-0001."
    assert ask("task add warm the cache") == "To do for inc-0001: warm the cache"
    assert ask("task done t1") == "t1 is done."
    assert ask("task") == "`t1` ✓ warm the cache"
    assert ask("silence 2h planned work").startswith("Silenced for 2 h: ")
    assert ask("silence 2h planned work").startswith("Silenced already until")
    [kept] = desk.alerting.silences.active()
    assert str(kept.matchers[0].value) == "playback"
    assert kept.author == f"slack:{USER}"


def test_in_a_war_room_its_incident_is_meant(
    desk: IncidentDesk, ask: Ask, make_finding: MakeFinding
) -> None:
    """With two incidents open, who writes in the room of one has named it."""
    scope = {"service.name": "billing", "cloud.region": "eu-west-1"}
    desk.receive(make_finding(id="f2", rule="slo/billing/fast", scope=scope, title="Billing fails"))
    desk.tick()
    assert "which incident? open are inc-0001, inc-0002" in ask("ack")
    assert ask("ack", channel="inc-0002-billing").startswith("Yours: *inc-0002*")


@BOTH
@pytest.mark.parametrize(("way", "place"), [("react", "thread"), ("shortcut", "room")])
def test_messages_go_on_record(
    desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, way: str, place: str
) -> None:
    """What somebody found out stays in the thread, and the post-mortem is written from memory."""
    clock.advance_ms(1_000)
    channel = "incidents" if place == "thread" else "inc-0001-playback"
    said = {"channel": channel, "user": "U02LEAD", "text": "the cache was cold"}
    if place == "thread":
        said["thread_ts"] = slack.seen()[0]["ts"]
    ts = slack.http.post("/preview/say", json=said).json()["ts"]
    asked = {"channel": channel, "ts": ts, "user": USER}
    asked |= {"reaction": "pushpin"} if way == "react" else {"callback_id": "add_to_timeline"}
    for _ in range(2):
        assert slack.http.post(f"/preview/{way}", json=asked).json()["ok"]
        clock.advance_ms(1_000)
        desk.tick()
    [event] = [e for e in desk.ledger.events("inc-0001") if e.kind is EventKind.SAID]
    assert event.text == "slack:U02LEAD in Slack: the cache was cold"
    assert event.actor == f"slack:{USER}"
    assert str(event.data["permalink"]).endswith(ts.replace(".", ""))


def test_a_form_that_cannot_be_shown_is_said(ask: Ask, slack: LocalSlack) -> None:
    """Nothing would happen, and nobody would know why."""
    slack.faults.arm("views.open", Answer.error("expired_trigger_id"))
    assert "That did not work" in ask("update")


@pytest.mark.parametrize("transport", ["socket"], indirect=True)
def test_the_socket_is_opened_again(desk: IncidentDesk, ask: Ask, slack: LocalSlack) -> None:
    """Slack ends connections every few hours; buttons would be dead from then on."""
    assert slack.http.post("/preview/refresh", json={}).json()["ok"]
    for _ in range(200):
        desk.tick()
        asked = {"channel": "general", "user": USER, "text": "list"}
        if slack.http.post("/preview/command", json=asked).json()["ok"]:
            break
        threading.Event().wait(0.01)
    assert "*inc-0001*" in ask("list")


def test_a_socket_that_cannot_be_opened_is_told(
    make_desk: MakeDesk, slack: LocalSlack, clock: ManualClock
) -> None:
    """Buttons would be dead, and nobody would know."""
    slack.faults.stand(Answer.error("token_revoked"), "apps.connections.open")
    desk = make_desk()
    parameters = SlackParameters.model_construct(
        bot_token=SecretStr("xoxb-test"),
        app_token=SecretStr("xapp-test"),
        base_url=f"{slack.url}/api",
        war_room=None,
    )
    answer_slack(desk, parameters)
    for _ in range(2):
        desk.tick()
        clock.advance_ms(1_000)
    [fault] = desk.faults.present()
    assert fault.what == "hearing of Slack"
    assert "token_revoked; an administrator of Slack reinstalls the app" in fault.reason


@pytest.mark.parametrize("path", ["/slack/commands", "/slack/events", "/slack/interactions"])
def test_what_is_not_signed_is_refused(
    desk: IncidentDesk, serve_desk: ServeDesk, clock: ManualClock, path: str
) -> None:
    """Whoever reaches the port could answer incidents."""
    http = serve_desk(desk)
    body = b"user_id=U1&trigger_id=1&text=resolve"
    stamp = str(clock.now_ms() // 1000)
    for secret, at, status in (("wrong", stamp, 401), ("shhh", "1", 401), ("shhh", "x", 401)):
        signed = {"X-Slack-Signature": signature(secret, at, body), "X-Slack-Request-Timestamp": at}
        assert http.post(path, content=body, headers=signed).status_code == status
    assert http.post(path, content=body).status_code == 401
    assert http.get(path).status_code == 405
    assert the(desk).status is Status.TRIAGE


def test_url_verification(desk: IncidentDesk, serve_desk: ServeDesk, clock: ManualClock) -> None:
    """Slack asks once whether the address is ours before it sends events there."""
    body = b'{"type": "url_verification", "challenge": "c-1"}'
    stamp = str(clock.now_ms() // 1000)
    signed: dict[str, Any] = {
        "X-Slack-Signature": signature("shhh", stamp, body),
        "X-Slack-Request-Timestamp": stamp,
    }
    answer = serve_desk(desk).post("/slack/events", content=body, headers=signed)
    assert (answer.status_code, answer.text) == (200, "c-1")
