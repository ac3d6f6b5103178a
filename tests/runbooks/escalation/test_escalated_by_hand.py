"""A person escalates: whoever is next is rung now, and only while somebody has to be."""

from __future__ import annotations

import pytest

from collectors.clock import ManualClock
from collectors.errors import ConflictError
from runbooks.incidents.commands import Acknowledge, SetStatus
from runbooks.incidents.states import Status
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.escalation.test_escalating import FIRST, SECOND, Team
from tests.runbooks.room import MakeDesk, MakeFinding


@pytest.fixture(name="team")
def _team(
    make_desk: MakeDesk,
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> Team:
    found = Team(make_desk, clock, recorder)
    found.desk.receive(make_finding())
    found.desk.tick()
    return found


def escalate(team: Team, text: str = "") -> None:
    escalations = team.desk.on_call.escalations
    escalations.hasten("inc-0001", "ann", text, team.clock.now_ms())
    team.wait(0.5)


def test_the_next_level_is_rung_at_once(team: Team) -> None:
    """Whoever knows that it is beyond one person must not wait for a timeout."""
    team.wait(1)
    escalate(team, "two regions now")

    assert team.escalated == [
        FIRST,
        "escalated by ann: the next level is rung, because: two regions now",
        SECOND,
    ]
    assert ("@ben", SECOND) in team.rung


def test_after_an_answer_the_route_is_rung_again(team: Team) -> None:
    """Whoever has acknowledged and can't go on alone gets nobody by an escalation that stopped."""
    team.desk.execute("inc-0001", Acknowledge(actor="ann"))
    team.desk.tick()
    before = len(team.rung)
    escalate(team)

    assert team.escalated[-1] == "escalated by ann: those whom its route rings are rung again"
    assert len(team.rung) == before + 1


def test_what_is_over_rings_nobody(team: Team) -> None:
    """A button pressed on an old page must not wake anybody."""
    team.desk.execute("inc-0001", SetStatus(status=Status.RESOLVED, actor="ann"))
    with pytest.raises(ConflictError, match="resolved; nobody has to be rung"):
        escalate(team)
