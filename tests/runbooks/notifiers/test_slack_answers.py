"""Every answer of Slack's that is no clear success: no page lost, none doubled, and it is told."""

from __future__ import annotations

import pytest

from collectors.clock import ManualClock
from demo_stack.slack.faults import Answer, Fault
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Note
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.slack import SlackNotifier
from runbooks.paging.outbox import RowState
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding

SLACK = Target(notifier="slack", channel="incidents")
OTHER = Target(notifier="recording", channel="other")
HTML = "<html><title>Sign in</title></html>"

CLOSED = [
    (Answer.error("invalid_auth"), "reinstalls the app"),
    (Answer.error("token_revoked"), "reinstalls the app"),
    (Answer.error("token_expired"), "reinstalls the app"),
    (Answer.error("account_inactive"), "reinstalls the app"),
    (Answer.error("channel_not_found"), "see to the channel in routes.yaml"),
    (Answer.error("is_archived"), "unarchive the channel"),
    (Answer.error("not_in_channel"), "/invite @tocsin"),
    (Answer.error("restricted_action"), "lets the app post there"),
    (Answer.error("missing_scope"), "add the scope"),
    (Answer.error("who_knows_this_code"), "docs.slack.dev"),
    (Answer(status=403, body=HTML), "see to the proxy"),
    (Answer(status=404, body=HTML), "see to the proxy"),
    (Answer(status=407, body=""), "see to the proxy"),
    (Answer(status=302, headers={"Location": "http://127.0.0.1:9/login"}), "see to the proxy"),
]
"""Nothing was posted: the page takes the next way at once."""

WHO_KNOWS = [
    (Answer(body=HTML), "see to the proxy"),
    (Answer(body=""), "see to the proxy"),
    (Answer(body="[]"), ""),
    (Answer(body='{"ok": false}'), ""),
    (Answer(status=500, body=HTML), ""),
    (Answer(status=504, body=HTML), ""),
    (Answer.error("fatal_error"), ""),
    (Fault.LOSE_REQUEST, ""),
    (Fault.LOSE_REPLY, ""),
]
"""It may have been posted: it is looked for, and takes the next way after half a minute."""


@pytest.fixture
def desk(make_desk: MakeDesk, slack: LocalSlack, recorder: RecordingNotifier) -> IncidentDesk:
    routes = Routes(default=(SLACK,))
    made = make_desk(notifiers=[slack.notifier, recorder], routes=routes)
    made._arrivals.fallbacks = (SLACK, OTHER)
    return made


def opened(desk: IncidentDesk, make_finding: MakeFinding) -> str:
    desk.receive(make_finding())
    desk.tick()
    return next(i.id for i in desk.ledger.incidents() if "Playback" in i.title)


def settle(desk: IncidentDesk, clock: ManualClock, seconds: int) -> None:
    step_s = 1 if seconds < 10 else 5
    for _ in range(0, seconds, step_s):
        clock.advance_ms(step_s * 1_000)
        desk.tick()


def pages(slack: LocalSlack) -> int:
    return sum("[SEV2] Playback starts" in message["text"] for message in slack.seen())


@pytest.mark.parametrize(("answer", "remedy"), CLOSED, ids=str)
def test_a_closed_way(
    desk: IncidentDesk,
    slack: LocalSlack,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    answer: Answer,
    remedy: str,
) -> None:
    """16 of 16 such pages were lost: it takes the next way, is told, and sent when mended."""
    slack.faults.stand(answer)
    incident_id = opened(desk, make_finding)
    assert [d.action for d in recorder.delivered[:1]] == [Action.OPEN]
    [failing] = desk.ways.failing()
    assert (failing.target, remedy in failing.reason) == (SLACK, True)
    assert "login" not in failing.reason
    desk.execute(incident_id, Note(actor="ann", text="kept for later"))
    settle(desk, clock, 20)
    slack.faults.mend()
    settle(desk, clock, 130)
    assert pages(slack) == 1
    message = next(m for m in slack.seen() if "Playback" in m["text"])
    assert sum("kept for later" in reply["text"] for reply in message["thread"]) == 1
    assert desk.ways.failing() == []


@pytest.mark.parametrize(("answer", "remedy"), WHO_KNOWS, ids=str)
def test_an_answer_that_may_mean_anything(
    desk: IncidentDesk,
    slack: LocalSlack,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    answer: Answer | Fault,
    remedy: str,
) -> None:
    """It is looked for before it is sent again, and nobody waits for longer than half a minute."""
    slack.faults.arm("chat.postMessage", answer)
    slack.faults.stand(Answer(status=503), "conversations.history")
    incident_id = opened(desk, make_finding)
    row = desk.outbox.rows(incident_id)[0]
    assert (row.state, remedy in row.reason) == (RowState.UNKNOWN, True)
    settle(desk, clock, 35)
    assert recorder.delivered[0].action is Action.OPEN
    slack.faults.mend("conversations.history")
    settle(desk, clock, 100)
    assert pages(slack) == 1


def test_a_proxy_that_is_late_doubles_nothing(
    make_desk: MakeDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """The request arrives 15 s after we stopped waiting for its answer."""
    hasty = SlackNotifier("xoxb-test", base_url=f"{slack.url}/api", timeout_s=1)
    desk = make_desk(notifiers=[hasty], routes=Routes(default=(SLACK,)))
    slack.faults.arm("chat.postMessage", Fault.LATE)
    incident_id = opened(desk, make_finding)
    settle(desk, clock, 15)
    assert pages(slack) == 0
    slack.faults.release()
    while pages(slack) == 0:
        pass
    settle(desk, clock, 30)
    assert pages(slack) == 1
    assert desk.outbox.rows(incident_id)[0].reason == "found where it was thought lost"


@pytest.mark.parametrize("slack_ahead_s", [-3 * 3_600.0, -600.0, 600.0, 3 * 3_600.0], indirect=True)
@pytest.mark.parametrize("fault", [Fault.LOSE_REPLY, Fault.LOSE_REQUEST])
def test_clocks_that_differ_double_nothing(
    desk: IncidentDesk,
    slack: LocalSlack,
    clock: ManualClock,
    make_finding: MakeFinding,
    fault: Fault,
) -> None:
    """Ours or Slack's is wrong by minutes: a message is known by its id, not by its time."""
    slack.faults.arm("chat.postMessage", fault)
    incident_id = opened(desk, make_finding)
    settle(desk, clock, 5)
    slack.faults.arm("chat.postMessage", fault)
    desk.execute(incident_id, Note(actor="ann", text="only once"))
    settle(desk, clock, 20)
    assert pages(slack) == 1
    [message] = slack.seen()
    assert sum("only once" in reply["text"] for reply in message["thread"]) == 1


def test_another_servers_page_is_not_taken_for_ours(
    desk: IncidentDesk, slack: LocalSlack, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Two servers count their outboxes from one: a page that was lost would count as sent."""
    payload = {"outbox_id": "1", "incident_id": "inc-another"}
    metadata = {"event_type": "tocsin_notification", "event_payload": payload}
    said = {"channel": "incidents", "text": "theirs", "metadata": metadata}
    headers = {"Authorization": "Bearer xoxb-test"}
    assert slack.http.post("/api/chat.postMessage", json=said, headers=headers).json()["ok"]
    slack.faults.arm("chat.postMessage", Fault.LOSE_REQUEST)
    opened(desk, make_finding)
    settle(desk, clock, 5)
    assert pages(slack) == 1
