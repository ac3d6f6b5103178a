"""Whatever is asked in whatever order: the log alone gives the state, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.course import holding
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import MACHINE, Event, EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import StepState
from runbooks.incidents.measures import measure
from runbooks.incidents.states import (
    IMPACTED_STATUSES,
    OPEN_STATUSES,
    TRANSITIONS,
    Role,
    Severity,
    Status,
)

PEOPLE = st.sampled_from(["ann", "bob", "slack:U1"])
STARTED_MS = 1_000_000


def a_finding(number: int, state: FindingState, urgency: Urgency, now_ms: int) -> Finding:
    return Finding(
        id=f"f{number}",
        rule="detector/sps",
        kind=FindingKind.ANOMALY,
        state=state,
        urgency=urgency,
        title=f"finding {number}",
        explanation="too low",
        scope={"cloud.region": "eu"},
        started_ms=now_ms,
        detected_ms=now_ms,
        updated_ms=now_ms,
        ended_ms=now_ms if state is FindingState.RESOLVED else None,
        expression=":true,:sum",
        window_ms=60_000,
        observed=1.0,
        baseline=10.0,
        unit="1/s",
    )


FINDINGS = st.tuples(
    st.integers(0, 3), st.sampled_from(list(FindingState)), st.sampled_from(list(Urgency))
)


class IncidentMachine(RuleBasedStateMachine):
    """Commands of every sort, possible or not, with time moving on."""

    @initialize(severity=st.sampled_from(list(Severity)))
    def open(self, severity: Severity) -> None:
        self.now_ms = STARTED_MS
        first = a_finding(0, FindingState.FIRING, Urgency.PAGE, self.now_ms)
        command = c.Open(incident_id="inc-1", finding=first, severity=severity, why="it pages")
        self.events = list(decide(None, command, self.now_ms))
        self.incident = fold(self.events)

    @rule(seconds=st.integers(0, 3_600))
    def wait(self, seconds: int) -> None:
        self.now_ms += seconds * 1_000

    def ask(self, command: c.Command) -> tuple[Event, ...]:
        before = self.incident
        try:
            decided = decide(before, command, self.now_ms)
        except ConflictError:
            return ()
        assert decide(before, command, self.now_ms) == decided
        self.events += decided
        self.incident = fold(decided, before)
        return decided

    @rule(drawn=FINDINGS)
    def finding(self, drawn: tuple[int, FindingState, Urgency]) -> None:
        found = a_finding(*drawn, self.now_ms)
        if found.id in self.incident.findings:
            started_ms = self.incident.findings[found.id].started_ms
            self.ask(c.ChangeFinding(finding=replace(found, started_ms=started_ms)))
        else:
            self.ask(c.AddFinding(finding=found, why="same region"))

    @rule(actor=PEOPLE)
    def acknowledge(self, actor: str) -> None:
        decided = self.ask(c.Acknowledge(actor=actor))
        assert not decided or self.incident.acknowledged_by == actor

    @rule(actor=PEOPLE, status=st.sampled_from(list(Status)))
    def set_status(self, actor: str, status: Status) -> None:
        allowed = status in TRANSITIONS[self.incident.status]
        decided = self.ask(c.SetStatus(actor=actor, status=status))
        assert bool(decided) == allowed
        assert not decided or self.incident.status is status

    @rule(actor=PEOPLE)
    def reopen(self, actor: str) -> None:
        intervals = len(self.incident.impact)
        if self.ask(c.Reopen(actor=actor, text="back")):
            assert len(self.incident.impact) == intervals + 1
            assert self.incident.status is Status.INVESTIGATING

    @rule(actor=PEOPLE | st.just(MACHINE), severity=st.sampled_from(list(Severity)))
    def set_severity(self, actor: str, severity: Severity) -> None:
        before = self.incident
        self.ask(c.SetSeverity(actor=actor, severity=severity))
        if actor == MACHINE:
            assert self.incident.severity.rank <= before.severity.rank
        if before.severity_by != MACHINE and actor == MACHINE:
            assert self.incident.severity is before.severity

    @rule(actor=PEOPLE, role=st.sampled_from(list(Role)), person=PEOPLE)
    def assign(self, actor: str, role: Role, person: str) -> None:
        self.ask(c.Assign(actor=actor, role=role, person=person))
        assert self.incident.roles[role] == person

    @rule(actor=PEOPLE, state=st.sampled_from(list(StepState)))
    def runbook(self, actor: str, state: StepState) -> None:
        propose = c.ProposeRunbook(name="r", title="R", why="fits", step_ids=("one", "two"))
        self.ask(propose)
        assert self.ask(propose) == ()
        self.ask(c.SetStep(actor=actor, step_id="one", state=state))
        runbook = self.incident.runbook
        assert runbook is not None
        assert runbook.steps["one"] is state

    @rule(failure=st.sampled_from(["", "channel_not_found"]))
    def page(self, failure: str) -> None:
        self.ask(c.RecordPage(notifier="slack", channel="x", outbox_id=1, failure=failure))

    @precondition(lambda self: not self.incident.is_open)
    @rule()
    def post_mortem(self) -> None:
        self.ask(c.RecordPostMortem(file="inc-1.md", blanks=3))

    @invariant()
    def log_alone_gives_the_state(self) -> None:
        if hasattr(self, "events"):
            assert fold(self.events) == self.incident
            assert [event.seq for event in self.events] == list(range(1, len(self.events) + 1))

    @invariant()
    def intervals_are_in_order(self) -> None:
        if not hasattr(self, "events"):
            return
        impact = self.incident.impact
        for interval in impact[:-1]:
            assert interval.end_ms is not None
        ends = [i.end_ms for i in impact if i.end_ms is not None]
        assert all(i.end_ms is None or i.start_ms <= i.end_ms for i in impact)
        later = [i.start_ms for i in impact[1:]]
        assert all(end <= start for end, start in zip(ends, later, strict=False))
        assert (impact[-1].end_ms is None) == (self.incident.status in IMPACTED_STATUSES)

    @invariant()
    def timestamps_fit_the_status(self) -> None:
        if not hasattr(self, "events"):
            return
        incident = self.incident
        assert (incident.resolved_ms is None) == (incident.status in OPEN_STATUSES)
        if incident.status in IMPACTED_STATUSES:
            assert incident.mitigated_ms is None
        measures = measure(incident, self.events)
        for value in (measures.acknowledge_ms, measures.mitigate_ms, measures.resolve_ms):
            assert value is None or value >= 0

    @invariant()
    def recovered_only_when_nothing_pages(self) -> None:
        if not hasattr(self, "events"):
            return
        last = self.events[-1]
        machine = last.kind is EventKind.STATUS_SET and last.actor == MACHINE
        if machine and self.incident.status is Status.MITIGATED:
            left = holding(self.incident.findings.values())
            assert all(f.state is FindingState.RESOLVED for f in left)


TestIncidents = IncidentMachine.TestCase
TestIncidents.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
