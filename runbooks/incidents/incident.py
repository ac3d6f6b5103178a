"""The present state of an incident, as folded from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from anomaly.evidence.line_kinds import MAX_KINDS, named_by, telling
from anomaly.evidence.near_changes import MAX_CANDIDATES, closeness
from anomaly.findings import Finding, FindingState, LineKind, NearChange, Urgency
from runbooks.incidents.crowd import Crowd, firing_in
from runbooks.incidents.live import speaking
from runbooks.incidents.milestones import Correction, Milestone, Reached, reached_of
from runbooks.incidents.states import (
    IMPACTED_STATUSES,
    OPEN_STATUSES,
    PAGING_RANK,
    Role,
    Severity,
    Status,
)
from runbooks.incidents.tasks import Task


class StepState(StrEnum):
    """What became of a runbook's step."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactInterval:
    """A stretch of time in which users felt it; ``end_ms`` is None while it lasts."""

    start_ms: int
    end_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedRunbook:
    """The runbook that was proposed, why, how well it fits, and how far its steps have come.

    ``run`` tells whether somebody has begun a run of it, ``instead`` whose place it took, and why.
    """

    name: str
    title: str
    why: str
    steps: Mapping[str, StepState]
    score: int = 0
    run: bool = False
    instead: str = ""

    @property
    def reason(self) -> str:
        """Why it is proposed, and if another was before, why no longer that one."""
        return f"{self.why}; instead of {self.instead}" if self.instead else self.why

    @property
    def is_begun(self) -> bool:
        """Whether somebody works by it: then nothing takes its place."""
        return self.run or any(state is not StepState.OPEN for state in self.steps.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a person said who declared an incident; ``scope`` is where, by tag."""

    by: str
    text: str
    scope: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """State after the event ``seq``.

    Attributes:
        id: Such as ``inc-0001``.
        seq: Number of events folded in.
        title: What a person reads first.
        titled_by: The finding whose title it has; "" if it has one of its own.
        severity: How bad.
        severity_by: Who set it; the machine doesn't overrule a person.
        status: Where the work stands.
        opened_ms: When it was opened, epoch milliseconds.
        impact: Intervals of impact, oldest first; one more for each reopening.
        findings: The latest of each finding that it names, by id, in order of arrival; none as
            long as only a person says that something is wrong.
        crowds: Those of one rule beyond them, which are only counted, by rule.
        acknowledged_ms: First acknowledgement of the first page.
        acknowledged_by: By whom.
        paged_ms: When the first page was delivered.
        reminders: How often it was rung again because nobody acknowledged it.
        rung_ms: When people were last rung: when a page was delivered, or asked for again.
        mitigated_ms: When the impact last ended; None while it lasts.
        resolved_ms: When it was last resolved; None while it is open.
        roles: Who does what.
        runbook: What was proposed, if anything.
        post_mortem_ms: When the post-mortem was last written.
        declared: What the person said who declared it; None if findings opened it.
        merged_into: The incident in which it goes on.
        merged_from: Those that go on in it.
        taken_scopes: Where people said that those are.
        split_from: The incident that its findings were split out of.
        split_into: Those that were split out of it.
        first_ms: When it first came to milestones that the state tells no longer.
        corrections: What people said of milestones' times since.
        responders: Who ever took part, and whether they still do.
        tasks: What is to be done, by id.
        update_ms: When a person last told those who are not in the room.
        pins: Numbers of the events that people keep in view, in the order of their pinning.
        update_told_ms: When that was last told or reminded of; the opening at first.
    """

    id: str
    seq: int
    title: str
    severity: Severity
    severity_by: str
    status: Status
    opened_ms: int
    impact: tuple[ImpactInterval, ...]
    findings: Mapping[str, Finding] = field(default_factory=dict)
    crowds: Mapping[str, Crowd] = field(default_factory=dict)
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None
    paged_ms: int | None = None
    reminders: int = 0
    rung_ms: int | None = None
    mitigated_ms: int | None = None
    resolved_ms: int | None = None
    roles: Mapping[Role, str] = field(default_factory=dict)
    runbook: ProposedRunbook | None = None
    post_mortem_ms: int | None = None
    declared: Declared | None = None
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()
    taken_scopes: tuple[Mapping[str, str], ...] = ()
    split_from: str | None = None
    split_into: tuple[str, ...] = ()
    first_ms: Mapping[Milestone, int] = field(default_factory=dict)
    corrections: Mapping[Milestone, Correction] = field(default_factory=dict)
    responders: Mapping[str, bool] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    pins: tuple[int, ...] = ()
    update_ms: int | None = None
    update_told_ms: int | None = None
    titled_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.status in OPEN_STATUSES

    @property
    def impact_start_ms(self) -> int:
        """Onset of the first impact."""
        return self.impact[0].start_ms

    @property
    def firing(self) -> tuple[Finding, ...]:
        """Findings that are not over: firing, or frozen because their data stopped."""
        return tuple(f for f in self.findings.values() if f.state is not FindingState.RESOLVED)

    @property
    def more_firing(self) -> int:
        """How many findings page beyond those that it names."""
        return firing_in(self.crowds)

    @property
    def more_seen(self) -> int:
        """How many findings there were beyond those that it names."""
        return sum(crowd.seen for crowd in self.crowds.values())

    @property
    def pages(self) -> bool:
        """Whether users feel something now that is worth waking somebody for."""
        if self.status not in IMPACTED_STATUSES:
            return False
        if self.is_declared and self.severity.rank <= PAGING_RANK:
            return True
        return self.more_firing > 0 or any(f.urgency is Urgency.PAGE for f in self.firing)

    @property
    def is_declared(self) -> bool:
        """Whether a person has declared it, or something that was merged into it."""
        return self.declared is not None or bool(self.taken_scopes)

    @property
    def declared_scopes(self) -> tuple[Mapping[str, str], ...]:
        """Where people said that it is, by tag; of itself, and of what was merged into it."""
        own = () if self.declared is None else (self.declared.scope,)
        return (*own, *self.taken_scopes)

    def scope_values(self, key: str) -> tuple[str, ...]:
        """Return the distinct values of scope ``key``, as declared and of all findings, sorted."""
        scopes = [*self.declared_scopes, *(f.scope for f in self.findings.values())]
        return tuple(sorted({scope[key] for scope in scopes if key in scope}))

    @property
    def explanation(self) -> str:
        """What is wrong, in the words of the finding that leads, or of who declared it."""
        if self.declared is not None:
            return self.declared.text or f"Declared by {self.declared.by}: {self.title}"
        return next((f.explanation for f in speaking(self.findings.values())), self.title)

    @property
    def milestones(self) -> Mapping[Milestone, Reached]:
        """How far it came and when, corrections applied; in their order."""
        logged = {Milestone.STARTED: self.impact_start_ms, Milestone.DETECTED: self.opened_ms}
        logged |= self.first_ms
        if (end_ms := self.impact[0].end_ms) is not None and self.status not in _NO_END:
            logged[Milestone.MITIGATED] = end_ms
        if self.resolved_ms is not None and self.status not in _NO_END:
            logged[Milestone.RESOLVED] = self.resolved_ms
        return reached_of(logged, self.corrections)

    def with_latest(self, live: Mapping[str, Finding]) -> Incident:
        """Return the same with the values of ``live``, which may have moved on since an event."""
        return replace(self, findings={i: live.get(i, f) for i, f in self.findings.items()})

    @property
    def exemplar_trace_ids(self) -> tuple[str, ...]:
        """Up to six traces that show it, each once, of the findings that speak for it."""
        traces: dict[str, None] = {}
        for finding in speaking(self.findings.values()):
            traces.update(dict.fromkeys(finding.exemplar_trace_ids))
        return tuple(traces)[:6]

    @property
    def near_changes(self) -> tuple[NearChange, ...]:
        """The changes nearest before the first impact, each once, the closest first.

        What was changed after it, before a later finding, may well be a remedy: it is left out.
        """
        near: dict[str, NearChange] = {}
        for change in (c for one in speaking(self.findings.values()) for c in one.changes):
            # An onset is known to a step: its own finding may show a change a moment after.
            if change.time_ms > self.impact_start_ms + max(0, -change.before_ms):
                continue
            known = near.get(change.id)
            if known is None or closeness(change) < closeness(known):
                near[change.id] = change
        return tuple(sorted(near.values(), key=closeness)[:MAX_CANDIDATES])

    @property
    def lines(self) -> tuple[LineKind, ...]:
        """The kinds of log lines of all findings, each once as last counted, most telling first."""
        findings = tuple(self.findings.values())
        found: dict[str, LineKind] = {}
        for line in (one for finding in findings for one in finding.lines):
            known = found.get(line.pattern)
            if known is None or line.until_ms >= known.until_ms:
                found[line.pattern] = line
        near = frozenset[str]().union(*map(named_by, findings))
        return tuple(sorted(found.values(), key=lambda one: telling(one, near))[:MAX_KINDS])


_NO_END = frozenset({Status.DECLINED, Status.MERGED})
"""It is over here, but nothing was mended."""
