"""The intake: each finding opens an incident, joins one, or is recorded; never without a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from anomaly.findings import Finding, FindingState, Urgency
from collectors.clock import Clock
from runbooks.alerts.candidates import Candidates, Neighbours, neighbours_of
from runbooks.alerts.decision_log import DecisionLog
from runbooks.alerts.grouping import (
    SERVICE,
    GroupingRules,
    ServiceEdge,
    group,
    near_in_time,
    relation,
)
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.alerts.severity import assess
from runbooks.alerts.storm import Allowance, RulePlaces
from runbooks.automation.matching import propose
from runbooks.automation.runbook import Runbook
from runbooks.desk.crowds import MAX_NAMED, MAX_NAMED_OF_RULE, Crowds
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
MAX_LOOSE = 10_000
MAX_ALIKE = 25
"""Decisions of one kind about one rule that are kept one by one; of further ones their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loose:
    finding: Finding
    outcome: Outcome


class Intake:
    """Takes findings; one thread at a time.

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
        self._owner: dict[str, str] = {}
        self._loose: dict[str, _Loose] = {}
        self.live: dict[str, Finding] = {}
        self.crowds = Crowds()
        self._candidates = Candidates()
        self._places = RulePlaces()
        self._allowance = Allowance(rules.storm)
        self._gathering = ""
        self._around = _Around(edges=(), neighbours={})
        self._decided: list[tuple[Finding, Decision]] = []
        self._touched: dict[str, None] = {}
        for incident in reversed(ledger.incidents()):
            self._know(incident)
            if incident.is_open:
                self.crowds.restore(incident)

    def take(self, findings: Sequence[Finding]) -> None:
        """Deal with findings that are new or have changed: with all of them, or with none.

        Raises:
            ConflictError: Another process has changed an incident meanwhile.
            StorageError: The database failed.
        """
        edges = self._edges()
        self._around = _Around(edges=edges, neighbours=neighbours_of(edges))
        self._decided, self._touched = [], {}
        for finding in findings:
            self._places.note(finding)
        try:
            with self._ledger.together():
                for finding in findings:
                    self._take_one(finding)
                self._reassess()
                self.tell_crowds()
        except Exception:
            self._know_again()
            raise
        self._decisions.record(_summed_up(self._decided), self._clock.now_ms())

    def tell_crowds(self) -> None:
        """Tell incidents how many more findings they have, where that is due."""
        now_ms = self._clock.now_ms()
        for incident_id, command in list(self.crowds.due(now_ms)):
            incident = self._ledger.incident(incident_id)
            if not incident.is_open:
                continue
            told = self._ledger.execute(incident_id, command)
            self.crowds.told(told, now_ms)

    def forget_ended(self) -> None:
        """Forget of incidents that take nothing in any more what was kept to find them."""
        now_ms = self._clock.now_ms()
        for incident_id in [*self._candidates.incidents()]:
            incident = self._ledger.incident(incident_id)
            if not self._matters(incident, now_ms):
                self._candidates.forget(incident_id)
                self.crowds.forget(incident_id)

    def _take_one(self, finding: Finding) -> None:
        if self.crowds.owner(finding) is not None:
            self.crowds.update(finding, self._clock.now_ms())
            return
        owner = self._owner.get(finding.id)
        if owner is None:
            self._place(finding)
        else:
            self._update(self._ledger.incident(owner), finding)

    def _know(self, incident: Incident) -> None:
        for finding in incident.findings.values():
            self._owner[finding.id] = incident.id
            if self._matters(incident, self._clock.now_ms()):
                self._candidates.add(incident.id, finding)

    def _know_again(self) -> None:
        """Know what the ledger knows: what was just carried out was taken back."""
        self._owner.clear()
        for incident in reversed(self._ledger.incidents()):
            self._know(incident)
        known = {incident.id: incident for incident in self._ledger.incidents()}
        for incident_id in self.crowds.incidents() & set(known):
            self.crowds.untold(known[incident_id])
        for gone in (self.crowds.incidents() | set(self._candidates.incidents())) - set(known):
            self.crowds.forget(gone)
            self._candidates.forget(gone)
        if self._gathering not in known:
            self._gathering = ""

    def reconcile(self, present: Collection[Finding]) -> None:
        """End findings that were over before anybody could tell: after a restart.

        Args:
            present: Every finding that is firing or frozen now.
        """
        self.crowds.settle()
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
        self._candidates.add(incident.id, finding)
        commands: list[Command] = [ChangeFinding(finding=finding)]
        if incident.status is Status.RESOLVED and starts:
            text = f"again: {finding.title}"
            commands.append(Reopen(actor=MACHINE, text=text, impact_start_ms=finding.updated_ms))
        if incident.is_open:
            self._touched[incident.id] = None
        self._ledger.execute(incident.id, *commands)
        if finding.state is FindingState.RESOLVED:
            self.live.pop(finding.id, None)

    def _place(self, finding: Finding) -> None:
        now_ms = self._clock.now_ms()
        home = self._home(finding)
        if home is not None:
            reason = "one more of its rule in the same place, started near it in time"
            decision = Decision(outcome=Outcome.JOINS, reason=reason, incident_id=home.id)
        else:
            near = self._candidates.near(finding, self._around.neighbours)
            known = [i for i in map(self._ledger.incident, near) if self._matters(i, now_ms)]
            known.sort(key=lambda i: (-i.opened_ms, i.id))
            places = self._places.count(finding.rule)
            decision = group(finding, known, self._around.edges, self._rules, now_ms, places)
        decision = self._carry_out(finding, decision)
        before = self._loose.get(finding.id)
        if decision.outcome in {Outcome.RECORDED, Outcome.ENDED}:
            self._keep_loose(finding, decision)
        if before is None or before.outcome is not decision.outcome:
            self._decided.append((finding, decision))

    def _home(self, finding: Finding) -> Incident | None:
        """Return the incident whose crowd takes findings such as ``finding`` in, if it is open."""
        if finding.state is FindingState.RESOLVED:
            return None
        home = self.crowds.home(finding, finding.scope.get(SERVICE, ""))
        incident = None if home is None else self._ledger.incident(home)
        if incident is None or not incident.is_open:
            return None
        return incident if near_in_time(finding, incident, self._rules) else None

    def _carry_out(self, finding: Finding, decision: Decision) -> Decision:
        if decision.outcome is Outcome.OPENS:
            return self._open(finding, decision)
        if decision.incident_id is None:
            return decision
        incident = self._ledger.incident(decision.incident_id)
        if decision.outcome is Outcome.JOINS and _is_full(incident, finding):
            self.crowds.join(
                incident, finding, finding.scope.get(SERVICE, ""), self._clock.now_ms()
            )
            self._loose.pop(finding.id, None)
            return replace(decision, outcome=Outcome.COUNTED)
        commands: list[Command] = [AddFinding(finding=finding, why=decision.reason)]
        commands += [ChangeFinding(finding=old) for old in _superseded(finding, incident)]
        if decision.outcome is Outcome.REOPENS:
            reopen = Reopen(actor=MACHINE, text=decision.reason, impact_start_ms=finding.started_ms)
            commands.insert(0, reopen)
        if decision.outcome is not Outcome.JOINS_ENDED:
            self._touched[incident.id] = None
        self._ledger.execute(incident.id, *commands)
        self._own(incident.id, finding)
        return decision

    def _open(self, finding: Finding, decision: Decision) -> Decision:
        """Open an incident, or have the one take it that gathers what is too much."""
        if self._allowance.take(self._clock.now_ms()):
            return replace(decision, incident_id=self._opened(finding).id)
        gathering = self._gathering and self._ledger.incident(self._gathering)
        if gathering and gathering.is_open:
            joins = Decision(outcome=Outcome.JOINS, reason=GATHERED, incident_id=gathering.id)
            return self._carry_out(finding, joins)
        incident = self._opened(finding, title=f"Many failures at once; first: {finding.title}")
        self._gathering = incident.id
        return Decision(outcome=Outcome.OPENS, reason=GATHERED, incident_id=incident.id)

    def _opened(self, finding: Finding, title: str = "") -> Incident:
        """Open an incident of ``finding`` with what was recorded of the same cause before."""
        related = self._related_loose(finding)
        findings = [finding, *(found for found, _ in related)]
        severity, why = assess(findings)

        def commands(incident_id: str) -> list[Command]:
            made: list[Command] = [
                Open(
                    incident_id=incident_id,
                    finding=finding,
                    severity=severity,
                    why=why,
                    title=title,
                )
            ]
            made += [AddFinding(finding=found, why=reason) for found, reason in related]
            return made + self._proposal(findings)

        incident = self._ledger.open(commands)
        for found in findings:
            self._own(incident.id, found)
        return incident

    def _related_loose(self, finding: Finding) -> list[tuple[Finding, str]]:
        found: list[tuple[Finding, str]] = []
        for loose in self._loose.values():
            other = loose.finding
            near = abs(other.started_ms - finding.started_ms) <= self._rules.window_ms
            if not near or other.state is not FindingState.FIRING or other.id == finding.id:
                continue
            if related := relation(other, finding, self._around.edges):
                found.append((other, f"recorded before: {related[1]}"))
        return found[:MAX_NAMED_OF_RULE]

    def _reassess(self) -> None:
        """Do what follows for severity and runbook from all that was taken in."""
        for incident in map(self._ledger.incident, self._touched):
            if not incident.is_open:
                continue
            findings = [self.live.get(i, finding) for i, finding in incident.findings.items()]
            severity, why = assess(findings)
            commands: list[Command] = [SetSeverity(severity=severity, actor=MACHINE, text=why)]
            begun = incident.runbook is not None and any(
                state is not StepState.OPEN for state in incident.runbook.steps.values()
            )
            commands += [] if begun else self._proposal(findings)
            self._ledger.execute(incident.id, *commands)

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
        self._candidates.add(incident_id, finding)
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


GATHERED = "gathered: more incidents would open at once than people can be told of one by one"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """Which service calls which, as read for one batch of findings."""

    edges: Collection[ServiceEdge]
    neighbours: Neighbours


def _is_full(incident: Incident, finding: Finding) -> bool:
    """Return whether an incident names so many findings that a further one is counted."""
    findings = incident.findings
    if finding.id in findings:
        return False
    of_rule = sum(known.rule == finding.rule for known in findings.values())
    return of_rule >= MAX_NAMED_OF_RULE or len(findings) >= MAX_NAMED


def _summed_up(decided: Sequence[tuple[Finding, Decision]]) -> list[tuple[Finding, Decision]]:
    """Return the first decisions of each kind about a rule; the last tells how many follow."""
    alike: dict[tuple[str, Outcome, str | None], list[tuple[Finding, Decision]]] = {}
    for finding, decision in decided:
        kind = (finding.rule, decision.outcome, decision.incident_id)
        alike.setdefault(kind, []).append((finding, decision))
    kept: list[tuple[Finding, Decision]] = []
    for same in alike.values():
        kept += same[:MAX_ALIKE]
        if len(same) > MAX_ALIKE:
            finding, last = same[MAX_ALIKE]
            more = f"and {len(same) - MAX_ALIKE - 1:,} more of its rule with the same outcome"
            kept.append((finding, replace(last, reason=f"{last.reason}; {more}")))
    return kept


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
