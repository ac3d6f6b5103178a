"""How far an incident came, who works on it, what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.measures import measure
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.states import Role, Severity, Status
from runbooks.incidents.tasks import TaskKind
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
S = 1_000


@pytest.fixture
def log(make_finding: MakeFinding) -> list[Event]:
    """Opened 10 s after the onset, acknowledged, identified, resolved."""
    opened = c.Open(
        incident_id="inc-1", finding=make_finding(), severity=Severity.SEV2, why="pages"
    )
    return add(
        [*decide(None, opened, T0 + 10 * S)],
        (30, c.Acknowledge(actor="ann")),
        (60, c.SetStatus(status=Status.IDENTIFIED, actor="ann")),
        (90, c.SetStatus(status=Status.RESOLVED, actor="ann")),
    )


def add(log: Sequence[Event], *steps: tuple[int, c.Command]) -> list[Event]:
    events = [*log]
    for seconds, command in steps:
        events += decide(fold(events), command, T0 + seconds * S)
    return events


def seconds(incident: Incident) -> dict[str, int]:
    return {m.value: (r.time_ms - T0) // S for m, r in incident.milestones.items()}


def correct(milestone: Milestone, at_s: int) -> c.CorrectMilestone:
    return c.CorrectMilestone(milestone=milestone, at_ms=T0 + at_s * S, actor="bob", text="log")


def test_milestones_come_from_the_log(log: list[Event]) -> None:
    """Times typed from memory after an outage are wrong."""
    assert seconds(fold(log)) == {
        "started": 0,
        "detected": 10,
        "acknowledged": 30,
        "investigating": 30,
        "identified": 60,
        "mitigated": 90,
        "resolved": 90,
    }
    moved = c.Record(kind=EventKind.POST_MORTEM_MOVED, text="reviewed", data={"to": "reviewed"})
    assert seconds(fold(add(log, (500, moved))))["reviewed"] == 500


def test_a_reopening_takes_the_resolution_back(log: list[Event]) -> None:
    """The first times stay: who answered first, and when, does not change by a second act."""
    again = add(log, (200, c.Reopen(actor="ann", text="back")))
    assert "resolved" not in seconds(fold(again))
    again = add(again, (210, c.Acknowledge(actor="eve")))
    assert seconds(fold(again))["acknowledged"] == 30


def test_a_correction_stands_beside_the_log(log: list[Event]) -> None:
    """Durations follow the correction; what the log said can still be read."""
    events = add(log, (100, correct(Milestone.STARTED, -50)))
    incident = fold(events)
    reached = incident.milestones[Milestone.STARTED]
    assert (reached.time_ms, reached.logged_ms) == (T0 - 50 * S, T0)
    assert reached.correction is not None
    assert (reached.correction.by, reached.correction.reason) == ("bob", "log")
    assert events[-1].text == "started at 2023-11-14 22:12:30 UTC, not 2023-11-14 22:13:20 UTC: log"
    found = measure(incident, events)
    assert (found.detect_ms, found.resolve_ms) == (60 * S, 140 * S)


@pytest.mark.parametrize(
    ("milestone", "at_s", "words"),
    [
        (Milestone.STARTED, 20, "detected .* would come before started"),
        (Milestone.RESOLVED, 80, "resolved .* would come before mitigated"),
        (Milestone.RESOLVED, 101, "in the future"),
        (Milestone.REVIEWED, 95, "not reviewed yet"),
        (Milestone.DETECTED, 10, "already"),
    ],
)
def test_corrections_that_are_slips(
    log: list[Event], milestone: Milestone, at_s: int, words: str
) -> None:
    """A resolution before its incident makes every figure nonsense."""
    with pytest.raises(ConflictError, match=words):
        add(log, (100, correct(milestone, at_s)))


def test_roles_are_handed_over(log: list[Event]) -> None:
    """Who was in command until when is asked in every review."""
    events = add(log, (95, c.Assign(role=Role.COMMANDER, person="eve", actor="ann")))
    assert events[-1].text == "commander handed over from ann to eve"
    assert fold(events).responders == {"ann": True, "eve": True}
    events = add(events, (96, c.Leave(person="ann", actor="ann")))
    assert fold(events).responders == {"ann": False, "eve": True}


def test_nobody_leaves_with_a_role(log: list[Event]) -> None:
    """An incident whose commander has gone has none, and nobody knows."""
    events = add(log, (95, c.Reopen(actor="ann", text="back")))
    with pytest.raises(ConflictError, match="ann is commander; hand the role over first"):
        add(events, (96, c.Leave(person="ann", actor="ann")))


def test_tasks(log: list[Event]) -> None:
    """What nobody owns and nobody is reminded of is not done."""
    due_ms = T0 + 1_000 * S
    added = c.AddTask(title="Alert on licences", actor="ann", kind=TaskKind.DETECT, due_ms=due_ms)
    events = add(log, (100, added), (101, c.ChangeTask(task_id="t1", actor="ann", owner="bob")))
    task = fold(events).tasks["t1"]
    assert (task.owner, task.kind, task.added_by) == ("bob", TaskKind.DETECT, "ann")
    assert [task.is_overdue(ms) for ms in (due_ms, due_ms + 1)] == [False, True]
    events = add(events, (2_000, c.ChangeTask(task_id="t1", actor="bob", done=True)))
    assert fold(events).tasks["t1"].done_ms == T0 + 2_000 * S
    assert not fold(events).tasks["t1"].is_overdue(due_ms + 1)
    events = add(events, (2_001, c.ChangeTask(task_id="t1", actor="bob", done=False)))
    assert fold(events).tasks["t1"].done_ms is None
    with pytest.raises(ConflictError, match="no task 't2'; there are: t1"):
        add(events, (2_002, c.ChangeTask(task_id="t2", actor="bob", done=True)))
