"""Pages through slack-sdk over a real socket: what a person sees, and what failures do."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.findings import Finding, FindingState
from collectors.clock import ManualClock
from demo_stack.slack.faults import Answer, Fault
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, Note, SetSeverity, SetStatus
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.delivery import Delivery
from runbooks.notifiers.slack import SlackNotifier
from runbooks.paging.outbox import RowState
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding

HUGE = {"service.name": "s" * 9_000, "cloud.region": "r" * 9_000}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def slack_desk(make_desk: MakeDesk, slack: LocalSlack) -> IncidentDesk:
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    return make_desk(notifiers=[slack.notifier], routes=routes)


def open_incident(desk: IncidentDesk, finding: Finding) -> Incident:
    desk.receive(finding)
    desk.tick()
    return desk.ledger.incidents()[0]


def settle(desk: IncidentDesk, clock: ManualClock, seconds: int = 30) -> None:
    """Let time pass until the outbox has nothing left to do."""
    for _ in range(seconds):
        clock.advance_ms(1_000)
        desk.tick()


def button_ids(message: dict[str, Any]) -> list[tuple[str, str]]:
    blocks = [b for b in message["blocks"] if b["type"] == "actions"]
    return [(e["action_id"], e["value"]) for b in blocks for e in b["elements"]]


def texts(message: dict[str, Any]) -> str:
    return str(message["blocks"])


def test_page_explains_itself(
    slack_desk: IncidentDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """Header, fields, evidence with expression and values, trace and dashboard links, buttons."""
    finding = make_finding()
    incident = open_incident(slack_desk, finding)
    [message] = slack.seen()
    header = message["blocks"][0]
    assert header["type"] == "header"
    assert "[SEV2] Playback starts fail in us-east-1" in header["text"]["text"]
    shown = texts(message)
    for wanted in (
        finding.explanation,
        finding.expression,
        "8.4 %",
        "0.1 %",
        "5 min",
        f"http://127.0.0.1:8501/traces?trace={TRACE}",
        f"http://127.0.0.1:8501/war_room?incident={incident.id}",
        "us-east-1",
        "playback",
        "90×",
    ):
        assert wanted in shown, wanted
    assert finding.explanation in message["text"]
    assert button_ids(message) == [
        ("incident.acknowledge", incident.id),
        ("incident.resolve", incident.id),
    ]


def test_one_message_edited_in_place(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Each state shows its buttons in the same message; every update is in its thread."""
    incident = open_incident(slack_desk, make_finding())
    slack_desk.execute(incident.id, Acknowledge(actor="ann"))
    settle(slack_desk, clock)
    [message] = slack.seen()
    assert button_ids(message) == [("incident.resolve", incident.id)]
    assert "investigating" in texts(message)
    slack_desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    settle(slack_desk, clock)
    [message] = slack.seen()
    assert button_ids(message) == []
    assert f"/api/v2/incidents/{incident.id}/post-mortem" in texts(message)
    thread = "\n".join(reply["text"] for reply in message["thread"])
    for wanted in ("runbook proposed", "acknowledged by ann", "resolved", "post-mortem written"):
        assert wanted in thread


@pytest.mark.parametrize("fault", [Fault.LOSE_REPLY, Fault.LOSE_REQUEST, Fault.ERROR_500])
def test_lost_replies_never_duplicate(
    slack_desk: IncidentDesk,
    slack: LocalSlack,
    clock: ManualClock,
    make_finding: MakeFinding,
    fault: Fault,
) -> None:
    """Whether request or reply was lost: in the end there is one message, and one reply."""
    slack.faults.arm("chat.postMessage", fault)
    incident = open_incident(slack_desk, make_finding())
    assert slack_desk.outbox.rows(incident.id)[0].state is RowState.UNKNOWN
    settle(slack_desk, clock, 5)
    slack.faults.arm("chat.postMessage", fault)
    slack_desk.execute(incident.id, Note(actor="ann", text="looking at playback"))
    settle(slack_desk, clock)
    [message] = slack.seen()
    notes = [reply for reply in message["thread"] if "looking at playback" in reply["text"]]
    assert len(notes) == 1
    assert {row.state for row in slack_desk.outbox.rows(incident.id)} == {RowState.SENT}


class KilledError(BaseException):
    """As far as anything in the process can tell, it is dead."""


class DiesAfterSending(SlackNotifier):
    def deliver(self, delivery: Delivery) -> str:
        super().deliver(delivery)
        raise KilledError


def test_killed_while_sending_is_looked_up(
    make_desk: MakeDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A row that was claimed when the process died is found in the channel, not sent again."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    dying = DiesAfterSending("xoxb-test", base_url=f"{slack.url}/api")
    dead = make_desk(notifiers=[dying], routes=routes)
    dead.receive(make_finding())
    with pytest.raises(KilledError):
        dead.tick()
    alive = make_desk(instead=True, notifiers=[slack.notifier], routes=routes)
    assert alive.outbox.recover(clock.now_ms() + 1) == 1
    settle(alive, clock)
    assert len(slack.seen()) == 1
    [incident] = alive.ledger.incidents()
    assert alive.outbox.rows(incident.id)[0].reason == "found where it was thought lost"


def test_rate_limit_waits_in_the_outbox(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """429 delays the row by Retry-After, without blocking the thread; nothing is lost."""
    incident = open_incident(slack_desk, make_finding())
    slack.faults.arm("chat.postMessage", Fault.RATE_LIMIT, times=2)
    for number in range(12):
        slack_desk.execute(incident.id, Note(actor="ann", text=f"note {number}"))
        slack_desk.tick()
    clock.advance_ms(1_100)  # at our own pace
    slack_desk.tick()
    waiting = [r for r in slack_desk.outbox.rows(incident.id) if r.state is RowState.PENDING]
    assert waiting
    assert "limits the rate" in waiting[0].reason
    settle(slack_desk, clock, 60)
    [message] = slack.seen()
    lines = [line for reply in message["thread"] for line in reply["text"].splitlines()]
    notes = [line for line in lines if "note" in line]
    assert notes == [f"• note {number} (by ann)" for number in range(12)]


def test_our_own_pace_is_slower_than_slacks(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Slack would refuse, and a page wait behind notes; the first page of another goes at once."""
    incident = open_incident(slack_desk, make_finding())
    for number in range(25):
        slack_desk.execute(incident.id, Note(actor="ann", text=f"note {number}"))
        slack_desk.tick()
    scope = {"service.name": "billing", "cloud.region": "eu-west-1"}
    slack_desk.receive(make_finding(id="f2", rule="slo/billing", title="Billing", scope=scope))
    slack_desk.tick()
    assert any("Billing" in message["text"] for message in slack.seen())
    settle(slack_desk, clock, 40)
    rows = [row for i in slack_desk.ledger.incidents() for row in slack_desk.outbox.rows(i.id)]
    assert not any("limits the rate" in row.reason for row in rows)
    assert {row.state for row in rows} == {RowState.SENT}


def test_an_outage_ends_without_a_flood(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """After two minutes of Slack's absence each thread gets one message with what it missed."""
    incident = open_incident(slack_desk, make_finding())
    settle(slack_desk, clock, 5)
    before = len(slack.seen()[0]["thread"])
    slack.faults.stand(Answer(status=503))
    for number in range(12):
        slack_desk.execute(incident.id, Note(actor="ann", text=f"note {number}"))
        clock.advance_ms(10_000)
        slack_desk.tick()
    slack.faults.mend()
    for _ in range(30):
        clock.advance_ms(5_000)
        slack_desk.tick()
    message = next(m for m in slack.seen() if "Playback" in m["text"])
    missed = message["thread"][before:]
    lines = [line for reply in missed for line in reply["text"].splitlines()]
    notes = [line for line in lines if "note" in line]
    assert notes == [f"• note {number} (by ann)" for number in range(12)]
    assert len(missed) <= 2


def test_slack_down_for_long(
    make_desk: MakeDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A page waits for Slack to come back; the incident's other work goes on."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    desk = make_desk(
        notifiers=[SlackNotifier("t", base_url="http://127.0.0.1:9/api/")], routes=routes
    )
    incident = open_incident(desk, make_finding())
    [row, *_] = desk.outbox.rows(incident.id)
    assert (row.state, row.attempts) == (RowState.PENDING, 1)
    assert "can't be reached" in row.reason
    desk.execute(incident.id, Acknowledge(actor="ann"))
    assert desk.ledger.incident(incident.id).status is Status.INVESTIGATING
    clock.advance_ms(7 * 3_600_000)
    desk.tick()
    rows = desk.outbox.rows(incident.id)
    assert rows[0].state is RowState.FAILED
    assert "given up" in rows[0].reason
    kinds = [event.kind for event in desk.ledger.events(incident.id)]
    assert "page_failed" in kinds


def test_what_strangers_write_rings_nobody(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A note or a change's summary rings a channel, or shows a link of its writer's choice."""
    incident = open_incident(
        slack_desk, make_finding(explanation="<!channel> <https://e.example|b>")
    )
    text = "p99 < 200 ms & <!here> <@U1> <https://evil.example|dashboard>"
    slack_desk.execute(incident.id, Note(actor="<!everyone>", text=text))
    slack_desk.execute(incident.id, SetSeverity(severity=Severity.SEV1, actor="<!everyone>"))
    settle(slack_desk, clock)
    messages = slack.seen()
    said = [m["text"] for m in messages] + [r["text"] for m in messages for r in m["thread"]]
    assert any("&lt;!here&gt;" in one for one in said)
    assert not any(mark in str(messages) for mark in ("<!", "<@", "<https://e"))


def test_a_missing_channel_is_no_end(
    make_desk: MakeDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """A page is lost because its channel was missing when it was first sent."""
    routes = Routes(default=(Target(notifier="slack", channel="nowhere"),))
    desk = make_desk(notifiers=[slack.notifier], routes=routes)
    incident = open_incident(desk, make_finding())
    row = desk.outbox.rows(incident.id)[0]
    assert row.state is RowState.PENDING
    assert "channel_not_found" in row.reason
    assert [way.target.channel for way in desk.ways.failing()] == ["nowhere"]


def test_huge_findings_stay_within_slacks_limits(
    slack_desk: IncidentDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """Texts of any length go through, cut with a marker."""
    finding = make_finding(
        title="x" * 5_000,
        explanation="<&>" * 5_000,
        expression="name,`,:eq," * 2_000,
        scope=HUGE,
    )
    slack_desk.receive(finding)
    for number in range(20):
        slack_desk.receive(make_finding(id=f"f{number}", title=f"{number}" * 900, scope=HUGE))
    slack_desk.tick()
    [message] = slack.seen()
    assert "trimmed" in texts(message)
    assert len(message["blocks"]) <= 50
    assert "18 more findings" in texts(message)


def test_proxies_are_not_used_on_loopback(
    slack_desk: IncidentDesk,
    slack: LocalSlack,
    make_finding: MakeFinding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy in the environment can't reach our loopback, and isn't asked to."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    open_incident(slack_desk, make_finding())
    assert len(slack.seen()) == 1


def test_recovery_shows(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """When every finding is over the message says so."""
    open_incident(slack_desk, make_finding())
    clock.advance_ms(60_000)
    slack_desk.receive(make_finding(state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    settle(slack_desk, clock)
    [message] = slack.seen()
    assert "mitigated" in texts(message)
    assert any("recovering" in reply["text"] for reply in message["thread"])


def test_found_in_a_busy_channel(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A message whose reply was lost is found although hundreds were said since."""
    slack.faults.arm("chat.postMessage", Fault.LOSE_REPLY)
    incident = open_incident(slack_desk, make_finding())
    for number in range(205):
        said = {"channel": "incidents", "user": "U1", "text": str(number)}
        slack.http.post("/preview/say", json=said)
    settle(slack_desk, clock, 5)
    row = slack_desk.outbox.rows(incident.id)[0]
    assert row.reason == "found where it was thought lost"
    assert sum("[SEV2]" in message["text"] for message in slack.seen()) == 1


def test_a_deleted_message_is_posted_again(
    slack_desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Somebody deletes the page: the next update posts it again, with that update in its thread."""
    incident = open_incident(slack_desk, make_finding())
    [first] = slack.seen()
    slack.http.post("/preview/delete", json={"channel": "incidents", "ts": first["ts"]})
    slack_desk.execute(incident.id, Acknowledge(actor="ann"))
    settle(slack_desk, clock)
    [message] = slack.seen()
    assert message["ts"] != first["ts"]
    assert button_ids(message) == [("incident.resolve", incident.id)]
    assert ["acknowledged by ann" in reply["text"] for reply in message["thread"]] == [True]
    slack_desk.execute(incident.id, Note(actor="ann", text="once"))
    settle(slack_desk, clock)
    [message] = slack.seen()
    assert len(message["thread"]) == 2
