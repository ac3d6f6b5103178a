"""The desk from a finding to a post-mortem, on a clock that only moves when told to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anomaly.findings import Finding, FindingState, Urgency
from collectors.clock import ManualClock
from collectors.errors import ConflictError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, SetStatus
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.room import MakeDesk, MakeFinding

EVERY_DATABASE = True


def take(desk: IncidentDesk, *findings: Finding) -> list[Incident]:
    for finding in findings:
        desk.receive(finding)
    desk.tick()
    return desk.ledger.incidents()


def resolved(finding: Finding, clock: ManualClock) -> dict[str, Any]:
    return {
        "id": finding.id,
        "state": FindingState.RESOLVED,
        "ended_ms": clock.now_ms(),
        "updated_ms": clock.now_ms(),
    }


def test_from_finding_to_post_mortem(
    desk: IncidentDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    tmp_path: Path,
) -> None:
    """One finding opens one incident, pages once, recovers, resolves itself and is written up."""
    finding = make_finding()
    [incident] = take(desk, finding)
    assert (incident.status, incident.severity) == (Status.TRIAGE, Severity.SEV2)
    assert [d.action for d in recorder.delivered][:1] == [Action.OPEN]
    assert desk.ledger.incident(incident.id).paged_ms == clock.now_ms()
    clock.advance_ms(20_000)
    desk.execute(incident.id, Acknowledge(actor="slack:U01"))
    clock.advance_ms(60_000)
    take(desk, make_finding(**resolved(finding, clock)))
    assert desk.ledger.incident(incident.id).status is Status.MITIGATED
    clock.advance_ms(599_000)
    desk.tick()
    assert desk.ledger.incident(incident.id).status is Status.MITIGATED
    clock.advance_ms(1_000)
    desk.tick()
    done = desk.ledger.incident(incident.id)
    assert done.status is Status.RESOLVED
    assert done.post_mortem_ms == clock.now_ms()
    text = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text()
    assert "180 starts" in text
    assert "U01" not in text
    assert (tmp_path / "post-mortems" / f"{incident.id}.html").exists()


def test_findings_of_one_cause_page_once(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A second finding in the same place rings again, though people know of it already."""
    second = make_finding(
        id="detector/sps/us-east-1",
        rule="detector/sps",
        title="SPS down in us-east-1",
        scope=make_finding().scope,
    )
    [incident] = take(desk, make_finding(), second)
    assert set(incident.findings) == {make_finding().id, second.id}
    assert sum(d.action is Action.OPEN for d in recorder.delivered) == 1
    reasons = [str(row["reason"]) for row in desk.decisions.latest()]
    assert reasons[0].startswith("grouped: same service playback in the same region us-east-1")


@pytest.mark.parametrize("urgency", [Urgency.TICKET, Urgency.INFO])
def test_nobody_is_woken_for_less_than_a_page(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding, urgency: Urgency
) -> None:
    """Tickets and notes are recorded with the reason for the silence."""
    assert take(desk, make_finding(urgency=urgency)) == []
    assert recorder.delivered == []
    [decision] = desk.decisions.latest()
    assert decision["outcome"] == "recorded"
    assert urgency in str(decision["reason"])


def test_frozen_is_not_resolved(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Data that stop are neither better nor worse: the incident stays."""
    [incident] = take(desk, make_finding())
    clock.advance_ms(3_600_000)
    take(desk, make_finding(state=FindingState.FROZEN, updated_ms=clock.now_ms()))
    assert desk.ledger.incident(incident.id).status is Status.TRIAGE


def test_restart_goes_on_where_it_was(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding, recorder: RecordingNotifier
) -> None:
    """A new process knows every incident and pages nobody again."""
    [before] = take(make_desk(), make_finding())
    again = make_desk()
    assert again.ledger.incident(before.id).findings == before.findings
    take(again, make_finding(updated_ms=clock.now_ms() + 5_000))
    assert sum(d.action is Action.OPEN for d in recorder.delivered) == 1


def test_resolving_twice_is_refused(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """The second one is told what the state is."""
    [incident] = take(desk, make_finding())
    command = SetStatus(status=Status.RESOLVED, actor="ann")
    desk.execute(incident.id, command)
    with pytest.raises(ConflictError, match="is resolved and can't become resolved"):
        desk.execute(incident.id, command)


def test_what_ended_unseen_is_reconciled(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """After a restart, a finding that is no longer there ends; one that is there stays."""
    first = make_desk()
    [before] = take(first, make_finding(), make_finding(id="b", rule="slo/other"))
    first.ledger.sharing.close()  # it has died
    again = make_desk()
    clock.advance_ms(60_000)
    renamed = make_finding(id="another-id-for-the-same")
    again.reconcile([renamed])
    again.tick()
    states = {f.id: f.state for f in again.ledger.incident(before.id).findings.values()}
    assert states == {make_finding().id: FindingState.FIRING, "b": FindingState.RESOLVED}
    take(again, renamed)
    [incident] = again.ledger.incidents()
    assert [f.id for f in incident.firing] == [renamed.id]
    again.reconcile([])
    again.tick()
    assert again.ledger.incident(before.id).status is Status.MITIGATED


def test_resolved_too_early_comes_back(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Half an hour after a person resolved it, what still fires reopens it."""
    [incident] = take(desk, make_finding())
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    clock.advance_ms(1_799_000)
    late = make_finding(id="late", rule="slo/slow", detected_ms=clock.now_ms())
    take(desk, make_finding(updated_ms=clock.now_ms()), late)
    assert desk.ledger.incident(incident.id).status is Status.RESOLVED
    clock.advance_ms(1_000)
    desk.tick()
    assert desk.ledger.incident(incident.id).status is Status.INVESTIGATING


def test_late_evidence_alone_does_not_reopen(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A ticket that notices after the end pages somebody, because it fires for long."""
    finding = make_finding()
    [incident] = take(desk, finding)
    clock.advance_ms(60_000)
    take(desk, make_finding(**resolved(finding, clock)))
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    clock.advance_ms(60_000)
    late = make_finding(
        id="late", rule="slo/slow", detected_ms=clock.now_ms(), urgency=Urgency.TICKET
    )
    take(desk, late)
    clock.advance_ms(3_600_000)
    take(desk, replace(late, updated_ms=clock.now_ms()))
    [only] = desk.ledger.incidents()
    assert (only.status, len(only.findings)) == (Status.RESOLVED, 2)


def test_recorded_tickets_become_evidence(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A ticket of the same place, recorded before, is taken into the incident that a page opens."""
    ticket = make_finding(id="ticket", rule="slo/slow", urgency=Urgency.TICKET)
    assert take(desk, ticket) == []
    [incident] = take(desk, make_finding())
    assert set(incident.findings) == {"ticket", make_finding().id}
