"""The desk with its own threads: nothing that it is given blocks the giver."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from collectors.clock import ManualClock, SystemClock
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.incidents.commands import Acknowledge, Note
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers.delivery import Delivery
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.room import MakeDesk, MakeFinding


class Blocking(RecordingNotifier):
    """Holds every delivery until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()

    def deliver(self, delivery: Delivery) -> str:
        self.entered.set()
        assert self.go.wait(10)
        return super().deliver(delivery)


def test_a_slow_notifier_blocks_nobody(make_desk: MakeDesk, make_finding: MakeFinding) -> None:
    """While a page hangs, findings are taken in and commands are carried out."""
    notifier = Blocking()
    paged = threading.Event()

    def watch(_incident: Incident, events: Sequence[Event]) -> None:
        if any(event.kind is EventKind.PAGED for event in events):
            paged.set()

    desk = make_desk(notifiers=[notifier], clock=SystemClock())
    desk.subscribe(watch)
    desk.start()
    desk.receive(make_finding())
    assert notifier.entered.wait(10)
    [incident] = desk.ledger.incidents()
    assert desk.execute(incident.id, Acknowledge(actor="ann")).acknowledged_by == "ann"
    assert not paged.is_set()
    notifier.go.set()
    assert paged.wait(10)


def test_findings_over_the_limit_are_counted(
    make_desk: MakeDesk, make_finding: MakeFinding
) -> None:
    """A flood is bounded, and what was dropped is known."""
    desk = make_desk(settings=DeskSettings(max_waiting=3))
    for number in range(5):
        desk.receive(make_finding(id=f"f{number}"))
    assert desk.dropped_findings == 2
    [fault] = desk.faults.present()
    assert (fault.what, fault.lost.split(" so far")[0]) == ("intake", "2 findings")
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert len(incident.findings) == 3


def test_a_defective_subscriber_harms_nobody(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """What is committed stays committed, whoever listens."""

    def defective(_incident: Incident, _events: Sequence[Event]) -> None:
        raise ZeroDivisionError

    desk.subscribe(defective)
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert incident.severity is Severity.SEV2


@pytest.mark.parametrize("count", [12])
def test_many_at_once(make_desk: MakeDesk, make_finding: MakeFinding, count: int) -> None:
    """Commands from many threads are all kept, each once, in one order."""
    desk = make_desk(clock=SystemClock())
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.start()
    threads = [
        threading.Thread(
            target=desk.execute, args=(incident.id, Note(text=str(number), actor="ann"))
        )
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    events = desk.ledger.events(incident.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    notes = {event.text for event in events if event.kind is EventKind.NOTE}
    assert notes == {str(number) for number in range(count)}


def test_a_locked_database_loses_no_finding(
    make_desk: MakeDesk, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """While another process holds the database, findings wait; then they are taken in."""
    path = tmp_path / "locked.db"
    desk = make_desk(database_url=f"sqlite:///{path}?timeout=0.05")
    desk.receive(make_finding())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        desk._take_in()
        assert desk.ledger.incidents() == []
        other.execute("ROLLBACK")
    desk.tick()
    assert len(desk.ledger.incidents()) == 1


def test_a_claim_left_behind_is_taken_up_again(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A row that was claimed and never finished is looked up after three minutes."""
    desk.tick()  # on duty, which looks up what others have left behind
    desk.receive(make_finding())
    desk._take_in()
    assert desk.outbox.claim(clock.now_ms()) is not None
    desk.tick()
    assert recorder.delivered == []
    clock.advance_ms(180_001)
    desk.tick()
    assert recorder.delivered
