"""The outbox under any sequence of failures: everything once, in order; nothing half done."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from collectors.clock import ManualClock
from collectors.errors import StorageError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents import commands as c
from runbooks.incidents.database import open_database
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.states import Severity
from runbooks.notifiers.card import Card, Links, card_of
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    UncertainError,
)
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.courier import Courier
from runbooks.paging.outbox import Outbox, RowState, enqueue
from runbooks.paging.planning import Notification
from runbooks.paging.routing import Target
from tests.runbooks.room import MakeDesk, MakeFinding

TARGETS = [Target(notifier="recording", channel=name) for name in ("one", "two")]


class Unreliable(RecordingNotifier):
    """Fails as it is told: delayed, arrived without an answer, or lost without an answer."""

    def __init__(self, plan: list[str]) -> None:
        super().__init__()
        self.plan = plan

    def deliver(self, delivery: Delivery) -> str:
        how = self.plan.pop(0) if self.plan else "well"
        if how == "delayed":
            raise DelayedError("later", retry_after_s=1)
        if how == "lost":
            raise UncertainError("lost on the way")
        reference = super().deliver(delivery)
        if how == "arrived":
            raise UncertainError("the answer was lost")
        return reference


@pytest.fixture(scope="session")
def card(make_finding: MakeFinding) -> Card:
    command = c.Open(
        incident_id="i", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    links = Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2")
    return card_of(fold(decide(None, command, 1)), links)


@settings(max_examples=25, deadline=None)
@given(
    plan=st.lists(st.sampled_from(["well", "delayed", "arrived", "lost"]), max_size=12),
    replies=st.lists(st.sampled_from(TARGETS), max_size=6),
)
def test_everything_once_and_in_order(card: Card, plan: list[str], replies: list[Target]) -> None:
    """Whatever goes wrong in between, each channel gets its page first, then its replies."""
    engine = open_database("sqlite://")
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        planned = [Notification(incident_id="i", target=t, action=Action.OPEN) for t in TARGETS]
        planned += [
            Notification(incident_id="i", target=t, action=Action.REPLY, text=str(n))
            for n, t in enumerate(replies)
        ]
        with engine.begin() as connection:
            enqueue(connection, planned, 0)
        notifier, outbox = Unreliable(plan), Outbox(engine)
        courier = Courier(
            outbox,
            {"recording": notifier},
            lambda _incident: card,
            lambda *_report: None,
            lambda *_fallen: None,
        )
        for minute in range(len(plan) + 2):
            courier.deliver_due(partial(int, minute * 60_000))
        assert {row.state for row in outbox.rows("i")} == {RowState.SENT}
    for target in TARGETS:
        got = [d for d in notifier.delivered if d.channel == target.channel]
        assert [d.action for d in got][:1] == [Action.OPEN]
        wanted = [str(n) for n, t in enumerate(replies) if t == target]
        assert [line for d in got[1:] for line in d.text.splitlines()] == wanted
    ids = [d.outbox_id for d in notifier.delivered]
    assert len(ids) == len(set(ids))


def test_a_refused_page_is_tried_again(
    make_desk: MakeDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A page that was refused once never arrives, or what follows it overtakes it."""
    recorder.fail_next(NotDeliveredError("channel_not_found"))
    desk = make_desk()
    desk.receive(make_finding())
    for _ in range(5):
        desk.tick()
        clock.advance_ms(60_000)
    [incident] = [i for i in desk.ledger.incidents() if "own/way" not in str(i.findings)]
    got = [d.action for d in recorder.delivered if d.card.incident_id == incident.id]
    assert got[0] is Action.OPEN
    assert {row.state for row in desk.outbox.rows(incident.id)} == {RowState.SENT}


def test_events_and_notifications_are_one_transaction(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """When the notification can't be queued the event is not kept either."""
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    before = desk.ledger.events(incident.id)
    with desk.engine.begin() as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
    with pytest.raises(StorageError, match="incident database failed"):
        desk.execute(incident.id, c.Note(text="lost?", actor="ann"))
    assert desk.ledger.events(incident.id) == before
    assert desk.ledger.incident(incident.id).seq == len(before)
    with desk.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO outbox"))
    desk.execute(incident.id, c.Note(text="kept", actor="ann"))
    assert desk.ledger.events(incident.id)[-1].text == "kept"


def test_edits_that_wait_are_drawn_once(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Ten changes before the courier comes make one edit, which shows the last of them."""
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    for severity in (Severity.SEV1, Severity.SEV3, Severity.SEV4):
        desk.execute(incident.id, c.SetSeverity(severity=severity, actor="ann"))
    desk.tick()
    edits = [d for d in recorder.delivered if d.action is Action.EDIT]
    assert len(edits) == 1
    assert edits[0].card.severity is Severity.SEV4
