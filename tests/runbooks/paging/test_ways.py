"""The last metre is watched: a page that its way does not take reaches a person by the next one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anomaly.findings import FindingKind, FindingState
from collectors.clock import ManualClock
from collectors.errors import TocsinError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    UncertainError,
)
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.outbox import RowState
from runbooks.paging.routing import Route, Routes, Target
from runbooks.paging.ways import Ways
from tests.runbooks.room import MakeDesk, MakeFinding

PAYMENTS = Target(notifier="slack", channel="payments")
INCIDENTS = Target(notifier="slack", channel="incidents")
CONSOLE = Target(notifier="console", channel="stderr")


class Choosy(RecordingNotifier):
    """Fails for some channels, as long as it is told to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.broken: dict[str, Callable[[], TocsinError]] = {}

    def deliver(self, delivery: Delivery) -> str:
        if delivery.channel in self.broken:
            error = self.broken[delivery.channel]()
            raise error
        return super().deliver(delivery)


@pytest.fixture
def slack() -> Choosy:
    return Choosy("slack")


@pytest.fixture
def console() -> Choosy:
    return Choosy("console")


@pytest.fixture
def paging(make_desk: MakeDesk, slack: Choosy, console: Choosy) -> IncidentDesk:
    """A desk whose playback pages go to ``payments``, all else to ``incidents``."""
    mine = Route(
        name="playback", targets=(PAYMENTS,), scope=(("service.name", frozenset({"playback"})),)
    )
    return make_desk(
        notifiers=[slack, console], routes=Routes(routes=(mine,), default=(INCIDENTS,))
    )


def pages(notifier: Choosy, incident: str = "inc-0001") -> list[str]:
    return [
        d.channel
        for d in notifier.delivered
        if d.action is Action.OPEN and d.card.incident_id == incident
    ]


def refused() -> TocsinError:
    return NotDeliveredError("Slack refused it: channel_not_found")


def test_a_refused_page_takes_the_next_way(
    paging: IncidentDesk,
    slack: Choosy,
    console: Choosy,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """A renamed channel is the end of a page, and nobody knows."""
    slack.broken["payments"] = refused
    paging.receive(make_finding())
    paging.tick()
    paging.tick()
    assert pages(slack) == ["incidents"]
    assert "channel_not_found" in slack.delivered[0].text
    [failing] = paging.ways.failing()
    assert (failing.target, failing.since_ms) == (PAYMENTS, clock.now_ms())
    kinds = [event.kind for event in paging.ledger.events("inc-0001")]
    assert kinds.count(EventKind.PAGE_FAILED) == 1
    own = paging.ledger.incident("inc-0002")
    assert own.title == "tocsin can't page by slack:payments"
    assert pages(slack, "inc-0002") == ["incidents"]


def test_it_is_sent_when_the_way_is_open_again(
    paging: IncidentDesk, slack: Choosy, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """The channel is back, and its people learn of the incident by chance."""
    slack.broken["payments"] = refused
    paging.receive(make_finding())
    paging.tick()
    slack.broken.clear()
    clock.advance_ms(60_000)
    paging.tick()
    paging.tick()
    assert pages(slack) == ["incidents", "payments"]
    assert paging.ways.failing() == []
    [own] = paging.ledger.incident("inc-0002").findings.values()
    assert (own.kind, own.state) == (FindingKind.OWN_FAULT, FindingState.RESOLVED)


@pytest.mark.parametrize("error", [DelayedError("down", retry_after_s=1), UncertainError("lost")])
def test_a_delay_takes_the_next_way_after_a_while(
    paging: IncidentDesk,
    slack: Choosy,
    clock: ManualClock,
    make_finding: MakeFinding,
    error: TocsinError,
) -> None:
    """Slack is down for two minutes, and so is the alarm; or a second's delay pages twice."""
    slack.broken["payments"] = lambda: error
    paging.receive(make_finding())
    for _ in range(4):
        paging.tick()
        clock.advance_ms(5_000)
    assert pages(slack) == []
    for _ in range(4):
        clock.advance_ms(20_000)
        paging.tick()
    assert pages(slack) == ["incidents"]


def test_all_of_slack_is_down(
    paging: IncidentDesk,
    slack: Choosy,
    console: Choosy,
    clock: ManualClock,
    make_finding: MakeFinding,
) -> None:
    """The second way fails as the first does, and there the page ends."""
    slack.broken = {"payments": refused, "incidents": refused}
    paging.receive(make_finding())
    for _ in range(3):
        paging.tick()
        clock.advance_ms(10_000)
    assert pages(console) == ["stderr"]
    assert {way.target for way in paging.ways.failing()} == {PAYMENTS, INCIDENTS}


def test_an_unknown_notifier(
    make_desk: MakeDesk, console: Choosy, make_finding: MakeFinding
) -> None:
    """A route names what is not there, and its pages vanish."""
    gone = Target(notifier="pager", channel="x")
    desk = make_desk(notifiers=[console], routes=Routes(default=(gone,)))
    desk.receive(make_finding())
    desk.tick()
    desk.tick()
    assert pages(console) == ["stderr"]
    assert desk.outbox.rows("inc-0001")[0].state is RowState.FAILED


def test_one_finding_a_failure() -> None:
    """A way that fails for long raises a finding for each page."""
    ways = Ways()
    assert ways.worked(PAYMENTS, 1) is None
    first = ways.failed(PAYMENTS, "gone", 2)
    assert first is not None
    assert first.expression.endswith("channel,payments,:eq,:and,:max")
    assert ways.failed(PAYMENTS, "still gone", 3) is None
    assert [way.reason for way in ways.failing()] == ["still gone"]
    assert ways.states() == {PAYMENTS: True}
    ended = ways.worked(PAYMENTS, 4)
    assert ended is not None
    assert (ended.id, ended.ended_ms) == (first.id, 4)
    assert ways.states() == {PAYMENTS: False}
