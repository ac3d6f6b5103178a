"""Nodes that hold leases: the duty goes with one of them, and a stale holder delivers nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.databases import PostgresServer
from tests.runbooks.room import MakeDesk, MakeFinding


class Lease:
    """Held by whom the test says; ``known`` is what its holder thinks, ``held`` the truth."""

    def __init__(self) -> None:
        self.known = self.held = False

    def holds(self) -> bool:
        """As the holder knows it."""
        return self.known

    def fence(self, connection: Connection) -> bool:
        """As the database knows it."""
        del connection
        return self.held


@pytest.fixture
def database(postgresql: PostgresServer) -> str:
    return postgresql.empty_database()


@pytest.fixture
def led(make_desk: MakeDesk) -> tuple[IncidentDesk, Lease]:
    """A desk whose duty goes with a lease."""
    desk, lease = make_desk(), Lease()
    desk.ledger.sharing.tenure = lease
    desk.outbox.fence = lease.fence
    return desk, lease


def pages(recorder: RecordingNotifier) -> int:
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def test_without_the_lease_nothing_is_delivered(
    led: tuple[IncidentDesk, Lease], recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A follower would ring beside the leader."""
    desk, lease = led
    desk.receive(make_finding())
    desk.tick()
    assert (desk.is_on_duty, pages(recorder)) == (False, 0)
    lease.known = lease.held = True
    desk.tick()
    assert (desk.is_on_duty, pages(recorder)) == (True, 1)


def test_a_stale_holder_claims_nothing(
    led: tuple[IncidentDesk, Lease], recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A process that was stopped and goes on would deliver what its follower delivers."""
    desk, lease = led
    lease.known = True
    desk.receive(make_finding())
    desk.tick()
    assert (desk.is_on_duty, pages(recorder)) == (True, 0)


def test_the_lock_of_others_does_not_count(
    led: tuple[IncidentDesk, Lease], make_desk: MakeDesk
) -> None:
    """A process that hangs keeps its lock for as long as its session lives."""
    desk, lease = led
    other = make_desk()
    other.tick()
    assert other.is_on_duty  # by the lock
    lease.known = lease.held = True
    desk.tick()
    assert desk.is_on_duty
