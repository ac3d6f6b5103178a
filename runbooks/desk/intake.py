"""The intake: each finding opens an incident, joins one, or is recorded; never without a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from anomaly.findings import Finding, FindingState, Urgency
from collectors.clock import Clock
from runbooks.alerts.decision_log import DecisionLog
from runbooks.alerts.grouping import GroupingRules, ServiceEdge, group, relation
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.alerts.severity import assess
from runbooks.automation.matching import propose
from runbooks.automation.runbook import Runbook
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import (
    AddFinding,
    ChangeFinding,
    Command,
    Open,
    ProposeRunbook,
    Reopen,
    SetSeverity,
)
from runbooks.incidents.events import MACHINE
from runbooks.incidents.incident import Incident, StepState
from runbooks.incidents.states import Status

EdgesReader = Callable[[], Collection[ServiceEdge]]
MAX_LOOSE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loose:
    finding: Finding
    outcome: Outcome


class Intake:
    """Takes findings one by one; one thread at a time.

    Args:
        ledger: Where incidents are.
        decisions: Where the reasons are kept.
        library: Runbooks to propose.
        edges: Reads which service calls which.
        rules: How near is near.
        clock: The present.
    """

    def __init__(
        self,
        ledger: Ledger,
        decisions: DecisionLog,
        *,
        library: Sequence[Runbook],
        edges: EdgesReader,
        rules: GroupingRules,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._decisions = decisions
        self.library = library
        self._edges = edges
        self._rules = rules
        self._clock = clock
        self._owner = {f: i.id for i in reversed(ledger.incidents()) for f in i.findings}
        self._loose: dict[str, _Loose] = {}
        self.live: dict[str, Finding] = {}

    def take(self, finding: Finding) -> None:
        """Deal with one finding that is new or has changed."""
        owner = self._owner.get(finding.id)
        if owner is None:
            self._place(finding)
        else:
            self._update(self._ledger.incident(owner), finding)

    def reconcile(self, present: Collection[Finding]) -> None:
        """End findings that were over before anybody could tell: after a restart.

        Args:
            present: Every finding that is firing or frozen now.
        """
        ids = {finding.id for finding in present}
        about = {_about(finding) for finding in present}
        now_ms = self._clock.now_ms()
        for incident in self._ledger.incidents():
            gone = [f for f in incident.firing if f.id not in ids and _about(f) not in about]
            if incident.is_open and gone:
                ended = [ChangeFinding(finding=_ended(f, now_ms)) for f in gone]
                self._ledger.execute(incident.id, *ended)

    def _update(self, incident: Incident, finding: Finding) -> None:
        starts = _starts_paging(incident.findings.get(finding.id), finding)
        if incident.status is Status.CLOSED:
            self.live[finding.id] = finding
            if starts:  # what is closed stays as it is
                del self._owner[finding.id]
                self._place(finding)
            return
        self.live[finding.id] = finding
        commands: list[Command] = [ChangeFinding(finding=finding)]
        if incident.status is Status.RESOLVED and starts:
            text = f"again: {finding.title}"
            commands.append(Reopen(actor=MACHINE, text=text, impact_start_ms=finding.updated_ms))
        if incident.is_open:
            commands += self._reassess(incident, finding)
        self._ledger.execute(incident.id, *commands)
        if finding.state is FindingState.RESOLVED:
            self.live.pop(finding.id, None)

    def _place(self, finding: Finding) -> None:
        now_ms = self._clock.now_ms()
        known = [i for i in self._ledger.incidents() if self._matters(i, now_ms)]
        decision = group(finding, known, self._edges(), self._rules, now_ms)
        decision = self._carry_out(finding, decision)
        before = self._loose.get(finding.id)
        if decision.outcome in {Outcome.RECORDED, Outcome.ENDED}:
            self._keep_loose(finding, decision)
        if before is None or before.outcome is not decision.outcome:
            self._decisions.record(finding, decision, now_ms)

    def _carry_out(self, finding: Finding, decision: Decision) -> Decision:
        if decision.outcome is Outcome.OPENS:
            incident = self._open(finding)
            return replace(decision, incident_id=incident.id)
        if decision.incident_id is None:
            return decision
        incident = self._ledger.incident(decision.incident_id)
        commands: list[Command] = [AddFinding(finding=finding, why=decision.reason)]
        commands += [ChangeFinding(finding=old) for old in _superseded(finding, incident)]
        if decision.outcome is Outcome.REOPENS:
            reopen = Reopen(actor=MACHINE, text=decision.reason, impact_start_ms=finding.started_ms)
            commands.insert(0, reopen)
        if decision.outcome is not Outcome.JOINS_ENDED:
            commands += self._reassess(incident, finding)
        self._ledger.execute(incident.id, *commands)
        self._own(incident.id, finding)
        return decision

    def _open(self, finding: Finding) -> Incident:
        """Open an incident of ``finding`` with what was recorded of the same cause before."""
        related = self._related_loose(finding)
        findings = [finding, *(found for found, _ in related)]
        severity, why = assess(findings)

        def commands(incident_id: str) -> list[Command]:
            made: list[Command] = [
                Open(incident_id=incident_id, finding=finding, severity=severity, why=why)
            ]
            made += [AddFinding(finding=found, why=reason) for found, reason in related]
            return made + self._proposal(findings)

        incident = self._ledger.open(commands)
        for found in findings:
            self._own(incident.id, found)
        return incident

    def _related_loose(self, finding: Finding) -> list[tuple[Finding, str]]:
        edges = self._edges()
        found: list[tuple[Finding, str]] = []
        for loose in self._loose.values():
            other = loose.finding
            near = abs(other.started_ms - finding.started_ms) <= self._rules.window_ms
            related = relation(other, finding, edges)
            if near and related and other.state is FindingState.FIRING and other.id != finding.id:
                found.append((other, f"recorded before: {related[1]}"))
        return found

    def _reassess(self, incident: Incident, finding: Finding) -> list[Command]:
        """Return what follows from ``finding`` for severity and runbook."""
        findings = list({**incident.findings, finding.id: finding}.values())
        severity, why = assess(findings)
        commands: list[Command] = [SetSeverity(severity=severity, actor=MACHINE, text=why)]
        begun = incident.runbook is not None and any(
            state is not StepState.OPEN for state in incident.runbook.steps.values()
        )
        return commands if begun else commands + self._proposal(findings)

    def _proposal(self, findings: Sequence[Finding]) -> list[Command]:
        proposal = propose(self.library, findings)
        if proposal is None:
            return []
        runbook = proposal.runbook
        command = ProposeRunbook(
            name=runbook.name,
            title=runbook.title,
            why=proposal.why,
            score=proposal.score,
            step_ids=tuple(step.id for step in runbook.steps),
            step_titles=tuple(f"{step.title} ({step.kind})" for step in runbook.steps),
        )
        return [command]

    def _own(self, incident_id: str, finding: Finding) -> None:
        self._owner[finding.id] = incident_id
        self._loose.pop(finding.id, None)
        self.live[finding.id] = finding

    def _keep_loose(self, finding: Finding, decision: Decision) -> None:
        self._loose.pop(finding.id, None)
        self._loose[finding.id] = _Loose(finding=finding, outcome=decision.outcome)
        if len(self._loose) > MAX_LOOSE:
            self._loose.pop(next(iter(self._loose)))

    def _matters(self, incident: Incident, now_ms: int) -> bool:
        """Whether ``incident`` is open or ended lately enough to be asked."""
        if incident.is_open:
            return True
        ended_ms = incident.resolved_ms or 0
        return incident.status is Status.RESOLVED and now_ms - ended_ms <= LATE_MS


def _starts_paging(before: Finding | None, finding: Finding) -> bool:
    """Return whether a finding pages now that was over, frozen or less urgent before."""
    if finding.state is not FindingState.FIRING or finding.urgency is not Urgency.PAGE:
        return False
    return before is None or (before.state, before.urgency) != (finding.state, finding.urgency)


def _about(finding: Finding) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return what a finding is about: a rule has one open finding in each place."""
    return finding.rule, frozenset(finding.scope.items())


def _superseded(finding: Finding, incident: Incident) -> list[Finding]:
    """Return the older findings about the same, as ended when ``finding`` began."""
    return [
        _ended(old, finding.started_ms)
        for old in incident.firing
        if old.id != finding.id and _about(old) == _about(finding)
    ]


def _ended(finding: Finding, ended_ms: int) -> Finding:
    return replace(finding, state=FindingState.RESOLVED, ended_ms=max(ended_ms, finding.started_ms))


LATE_MS = 24 * 3_600_000
"""For this long after its resolution an incident takes late evidence that began within it."""
