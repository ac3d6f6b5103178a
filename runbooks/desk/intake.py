"""The intake: each finding opens an incident, joins one, or is recorded; never without a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
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
from runbooks.alerts.labels import pages
from runbooks.alerts.muting import Muting
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.alerts.severity import assess
from runbooks.alerts.storm import Allowance, RulePlaces
from runbooks.automation.proposing import proposing
from runbooks.automation.runbook import Runbook
from runbooks.desk.alike import about, ended, is_full, starts_paging, summed_up, superseded
from runbooks.desk.crowds import MAX_NAMED_OF_RULE, Crowds
from runbooks.desk.held import HeldBack
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import (
    AddFinding,
    ChangeFinding,
    Command,
    Open,
    Record,
    Reopen,
    SetSeverity,
)
from runbooks.incidents.events import MACHINE, Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status

EdgesReader = Callable[[], Collection[ServiceEdge]]
MAX_LOOSE = 10_000


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
        muting: What keeps findings from ringing.
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
        muting: Muting,
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
        self.firing: dict[str, Finding] = {}
        self._muting = muting
        self.held = HeldBack(muting)
        self.crowds = Crowds()
        self._candidates = Candidates()
        self._places = RulePlaces()
        self._allowance = Allowance(rules.storm)
        self._tickets = Allowance(rules.storm)
        self._gathering = ""
        self._around = _Around(edges=(), neighbours={})
        self._decided: list[tuple[Finding, Decision]] = []
        self._touched: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        for incident in reversed(ledger.incidents()):
            self._know(incident)
            if incident.is_open:
                self.crowds.restore(incident)

    @property
    def edges(self) -> Collection[ServiceEdge]:
        """Which service calls which, as last read."""
        return self._around.edges

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
            self._note(finding)
        kept = self.held.kept()
        try:
            with self._ledger.together():
                self._learn()
                for finding in findings:
                    self._take_one(finding)
                self._reassess()
                self.tell_crowds()
        except Exception:
            self._know_again()
            self.held.restore(kept)
            raise
        self._decisions.record(summed_up(self._decided), self._clock.now_ms())

    def release(self) -> None:
        """Take in what was held back and no longer is.

        Raises:
            ConflictError: Another process has changed an incident meanwhile.
            StorageError: The database failed.
        """
        if released := self.held.released(self._clock.now_ms()):
            self.take(released)
        for incident_id, finding, held in self.held.to_fold(self.owner):
            if self._ledger.incident(incident_id).is_open:
                text = f"held back under this: {finding.title} ({held.reason})"
                data: Data = {"finding_id": finding.id, "rule": held.by}
                record = Record(kind=EventKind.SUPPRESSED, text=text, data=data)
                self._ledger.execute(incident_id, record)
            self.held.folded(finding, incident_id)

    def owner(self, finding_id: str) -> str | None:
        """Return the incident that has a finding, None if none has."""
        return self._owner.get(finding_id) or self.crowds.owner(finding_id)

    def learn(self, incident_id: str) -> None:
        """Look at an incident that people have declared, merged or split; from any thread."""
        self._changed[incident_id] = None

    def _learn(self) -> None:
        while self._changed:
            incident_id, _ = self._changed.popitem()
            incident = self._ledger.incident(incident_id)
            if incident.merged_into is None:
                self._know(incident)
                continue
            into = self._ledger.going_on(incident.id)
            self._know(into)
            self._candidates.forget(incident.id)
            self.crowds.move(incident.id, into)

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

    def _note(self, finding: Finding) -> None:
        self._muting.note(finding)
        if finding.state is FindingState.RESOLVED:
            self.firing.pop(finding.id, None)
        else:
            self.firing[finding.id] = finding

    def _take_one(self, finding: Finding) -> None:
        if self.crowds.owner(finding.id) is not None:
            self.crowds.update(finding, self._clock.now_ms())
            return
        owner = self._owner.get(finding.id)
        incident = None if owner is None else self._ledger.going_on(owner)
        if self._holds_back(finding, incident):
            return
        if incident is None:
            self._place(finding)
        else:
            self._update(incident, finding)

    def _holds_back(self, finding: Finding, incident: Incident | None) -> bool:
        """Whether a finding that would open or reopen an incident is kept until it may ring.

        What belongs to an open incident goes on its record; the incident is kept from ringing.
        """
        rings = pages(finding) or (incident is None and self._is_ticket(finding))
        concerned = rings and (incident is None or not incident.is_open)
        before = self.held.before(finding)
        held = self.held.hold(finding) if concerned else None
        if held is None:
            self.held.let_go(finding)
            return False
        if before is None or (before.stage, before.by) != (held.stage, held.by):
            within = self._owner.get(held.source) or (incident.id if incident else None)
            decision = Decision(outcome=Outcome.SUPPRESSED, reason=held.reason, incident_id=within)
            self._decided.append((finding, decision))
        return True

    def _know(self, incident: Incident) -> None:
        if incident.merged_into is not None:
            return  # the one in which it goes on has all of it
        if self._matters(incident, self._clock.now_ms()):
            self._candidates.declare(incident.id, incident.declared_scopes)
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
        places = {about(finding) for finding in present}
        now_ms = self._clock.now_ms()
        for incident in self._ledger.incidents():
            gone = [f for f in incident.firing if f.id not in ids and about(f) not in places]
            # Those who tell of alerts tell again, or the alert ends by itself.
            gone = [f for f in gone if f.kind is not FindingKind.ALERT]
            if incident.is_open and gone:
                over = [ChangeFinding(finding=ended(f, now_ms)) for f in gone]
                self._ledger.execute(incident.id, *over)

    def _update(self, incident: Incident, finding: Finding) -> None:
        starts = starts_paging(incident.findings.get(finding.id), finding)
        if incident.status is Status.CLOSED:
            self.live[finding.id] = finding
            if starts:  # what is closed stays as it is
                del self._owner[finding.id]
                self._place(finding)
            return
        self.live[finding.id] = finding
        self._candidates.add(incident.id, finding)
        commands: list[Command] = [ChangeFinding(finding=finding)]
        if incident.status in _COME_BACK and starts:
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
        decision = self._carry_out(finding, self._ticketed(finding, decision))
        before = self._loose.get(finding.id)
        if decision.outcome in {Outcome.RECORDED, Outcome.ENDED}:
            self._keep_loose(finding, decision)
        if before is None or before.outcome is not decision.outcome:
            self._decided.append((finding, decision))

    def _ticketed(self, finding: Finding, decision: Decision) -> Decision:
        """Let what waits for the morning go where tickets go, if there is such a place."""
        if decision.outcome is not Outcome.RECORDED or not self._is_ticket(finding):
            return decision
        if not self._tickets.take(self._clock.now_ms()):
            reason = (
                f"{decision.reason}; more tickets at once than people can be told of one by one"
            )
            return replace(decision, reason=reason)
        return Decision(outcome=Outcome.OPENS, reason="a ticket: told where tickets go")

    def _is_ticket(self, finding: Finding) -> bool:
        """Whether a finding has a route of its own although it wakes nobody."""
        ticket = finding.urgency is Urgency.TICKET and finding.state is FindingState.FIRING
        return ticket and bool(self._ledger.routes.tickets)

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
        if decision.outcome is Outcome.JOINS and is_full(incident, finding):
            self.crowds.join(
                incident, finding, finding.scope.get(SERVICE, ""), self._clock.now_ms()
            )
            self._loose.pop(finding.id, None)
            return replace(decision, outcome=Outcome.COUNTED)
        commands: list[Command] = [AddFinding(finding=finding, why=decision.reason)]
        commands += [ChangeFinding(finding=old) for old in superseded(finding, incident)]
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
        if self._is_ticket(finding) or self._allowance.take(self._clock.now_ms()):
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
            return [*made, *proposing(self.library, findings)]

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
            commands += proposing(self.library, findings, incident.runbook)
            self._ledger.execute(incident.id, *commands)

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


_COME_BACK = frozenset({Status.RESOLVED, Status.DECLINED})

MOVING_FINDINGS = frozenset({EventKind.MERGED, EventKind.TOOK_OVER, EventKind.SPLIT_OFF})
"""Events after which findings belong to another incident."""

GATHERED = "gathered: more incidents would open at once than people can be told of one by one"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """Which service calls which, as read for one batch of findings."""

    edges: Collection[ServiceEdge]
    neighbours: Neighbours


LATE_MS = 24 * 3_600_000
"""For this long after its resolution an incident takes late evidence that began within it."""
