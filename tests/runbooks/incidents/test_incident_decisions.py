"""Single decisions worth naming."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from anomaly.findings import FindingState, Urgency
from collectors.errors import ConflictError, StorageError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.measures import measure
from runbooks.incidents.states import Role, Severity, Status
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000


@pytest.fixture
def opened(make_finding: MakeFinding) -> list[Event]:
    command = c.Open(
        incident_id="inc-0001", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    return list(decide(None, command, T0 + 10_000))


def after(events: Sequence[Event], *steps: tuple[int, c.Command]) -> tuple[Incident, list[Event]]:
    """Fold further commands in, each with its time."""
    events = list(events)
    for now_ms, command in steps:
        events += decide(fold(events), command, now_ms)
    return fold(events), events


def test_reopening_keeps_history(opened: list[Event]) -> None:
    """The first resolution stays on record; times to mitigate are those of the first impact."""
    incident, events = after(
        opened,
        (T0 + 30_000, c.Acknowledge(actor="ann")),
        (T0 + 60_000, c.SetStatus(status=Status.RESOLVED, actor="ann")),
        (T0 + 100_000, c.Reopen(actor="bob", text="again")),
        (T0 + 160_000, c.SetStatus(status=Status.RESOLVED, actor="bob")),
    )
    assert [(i.start_ms, i.end_ms) for i in incident.impact] == [
        (T0, T0 + 60_000),
        (T0 + 100_000, T0 + 160_000),
    ]
    found = measure(incident, events)
    assert (found.detect_ms, found.acknowledge_ms) == (10_000, 20_000)
    assert (found.mitigate_ms, found.resolve_ms, found.impact_ms) == (60_000, 160_000, 120_000)
    assert incident.acknowledged_by is None


def test_a_ticket_does_not_keep_it_open(opened: list[Event], make_finding: MakeFinding) -> None:
    """A ticket over a long window fires long after; recovery asks what pages only."""
    ticket = make_finding(id="slow", urgency=Urgency.TICKET)
    over = make_finding(state=FindingState.RESOLVED, ended_ms=T0 + 50_000)
    incident, _ = after(
        opened,
        (T0 + 20_000, c.AddFinding(finding=ticket, why="same service")),
        (T0 + 60_000, c.ChangeFinding(finding=over)),
    )
    assert incident.status is Status.MITIGATED
    assert incident.mitigated_ms == T0 + 50_000


def test_it_comes_back_while_recovering(opened: list[Event], make_finding: MakeFinding) -> None:
    """A finding that fires again while mitigated ends the recovery."""
    over = make_finding(state=FindingState.RESOLVED, ended_ms=T0 + 50_000)
    again = make_finding(id="again", started_ms=T0 + 80_000)
    incident, _ = after(
        opened,
        (T0 + 60_000, c.ChangeFinding(finding=over)),
        (T0 + 90_000, c.AddFinding(finding=again, why="same region")),
    )
    assert incident.status is Status.INVESTIGATING
    assert incident.impact[-1].start_ms == T0 + 80_000


def test_earlier_onset_moves_the_start(opened: list[Event], make_finding: MakeFinding) -> None:
    """A later finding may know of an earlier onset."""
    earlier = make_finding(id="earlier", started_ms=T0 - 5_000)
    incident, _ = after(opened, (T0 + 20_000, c.AddFinding(finding=earlier, why="same region")))
    assert incident.impact_start_ms == T0 - 5_000


def test_whoever_acknowledges_leads_until_handed_over(opened: list[Event]) -> None:
    """The first responder is commander, and hands over by assignment."""
    incident, _ = after(
        opened,
        (T0 + 1, c.Acknowledge(actor="ann")),
        (T0 + 2, c.Assign(role=Role.COMMANDER, person="bob", actor="ann")),
    )
    assert (incident.acknowledged_by, incident.roles[Role.COMMANDER]) == ("ann", "bob")


def test_unchanged_findings_leave_no_event(opened: list[Event], make_finding: MakeFinding) -> None:
    """The engine repeats itself; the log doesn't."""
    incident = fold(opened)
    same = make_finding(updated_ms=T0 + 500_000, observed=0.085)
    assert decide(incident, c.ChangeFinding(finding=same), T0 + 500_000) == ()
    for worse, change in ((0.4, "worse"), (-0.4, None)):
        found = make_finding(observed=worse)
        events = decide(incident, c.ChangeFinding(finding=found), T0 + 500_000)
        assert [event.data["change"] for event in events] == ([change] if change else [])


def test_a_better_runbook_replaces_a_worse_one(opened: list[Event]) -> None:
    """What people may be reading is only replaced by a better fit, never by the one before."""

    def propose(name: str, score: int) -> c.ProposeRunbook:
        return c.ProposeRunbook(name=name, title=name, why="", step_ids=("a",), score=score)

    steps = [("one", 2), ("two", 2), ("three", 4), ("one", 2), ("one", 4)]
    incident, events = after(opened, *((T0, propose(*step)) for step in steps))
    proposed = [e.data["name"] for e in events if e.kind is EventKind.RUNBOOK_PROPOSED]
    assert proposed == ["one", "three"]
    assert incident.runbook is not None
    assert incident.runbook.name == "three"


def test_impossible_commands(opened: list[Event], make_finding: MakeFinding) -> None:
    """Each refusal says what is and what may be."""
    incident = fold(opened)
    closed, _ = after(
        opened,
        (T0 + 20_000, c.SetStatus(status=Status.RESOLVED, actor="ann")),
        (T0 + 30_000, c.SetStatus(status=Status.CLOSED, actor="ann")),
    )
    reopen = c.Open(incident_id="inc-0001", finding=make_finding(), severity=Severity.SEV1, why="")
    cases: list[tuple[Incident | None, c.Command, str]] = [
        (None, c.Acknowledge(actor="ann"), "no such incident"),
        (incident, reopen, "open already"),
        (incident, c.Reopen(actor="ann", text=""), "only what ended"),
        (incident, c.SetStatus(status=Status.CLOSED, actor="ann"), "what may follow"),
        (incident, c.ChangeFinding(finding=make_finding(id="other")), "does not belong"),
        (closed, c.Acknowledge(actor="ann"), "nothing to acknowledge"),
        (closed, c.SetStatus(status=Status.INVESTIGATING, actor="ann"), "what may follow: nothing"),
    ]
    for state, command, message in cases:
        with pytest.raises(ConflictError, match=message):
            decide(state, command, T0)


def test_damaged_logs_are_noticed(opened: list[Event]) -> None:
    """A gap, or a log without a beginning, is an error rather than a guess."""
    _, events = after(opened, (T0, c.Note(text="a", actor="x")), (T0, c.Note(text="b", actor="x")))
    for damaged in ([events[0], events[2]], events[1:], []):
        with pytest.raises(StorageError):
            fold(damaged)
