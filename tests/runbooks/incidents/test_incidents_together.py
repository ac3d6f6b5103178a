"""Several incidents, every command, in any order: no state that may not be, and nothing lost."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from anomaly.findings import FindingState, Urgency
from anomaly.testing import example_finding
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.soundness import unsound, unsound_log, unsound_together
from runbooks.incidents.states import Role, Severity, Status
from runbooks.paging.ringing import ring_reason

PEOPLE = st.sampled_from(["ann", "bob"])
SEVERITIES = st.sampled_from(list(Severity))


class IncidentsMachine(RuleBasedStateMachine):
    """Incidents that are opened, declared, merged, split, declined, and brought back."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1_700_000_000_000
        self.incidents: dict[str, Incident] = {}
        self.logs: dict[str, list[Event]] = {}
        self.numbers = 0

    def ask(self, *asked: tuple[str, c.Command]) -> bool:
        """Carry out commands together, all or none."""
        fresh: dict[str, Incident] = {}
        added: dict[str, list[Event]] = {}
        try:
            for name, command in asked:
                before = fresh.get(name, self.incidents.get(name))
                events = decide(before, command, self.now_ms)
                assert decide(before, command, self.now_ms) == events
                if events:
                    fresh[name] = fold(events, before)
                    added.setdefault(name, []).extend(events)
        except ConflictError:
            return False
        for name, told in added.items():
            self.logs.setdefault(name, []).extend(told)
        self.incidents |= fresh
        return True

    def finding(
        self, state: FindingState, urgency: Urgency, finding_id: str = ""
    ) -> c.ChangeFinding:
        self.numbers += not finding_id
        ended_ms = self.now_ms if state is FindingState.RESOLVED else None
        finding = example_finding(
            id=finding_id or f"f{self.numbers}",
            rule=f"slo/{self.numbers % 2}",
            scope={"service.name": f"s{self.numbers}"},
            state=state,
            urgency=urgency,
            started_ms=self.now_ms - 1_000,
            detected_ms=self.now_ms,
            updated_ms=self.now_ms,
            ended_ms=ended_ms,
        )
        return c.ChangeFinding(finding=finding)

    @initialize(target=ids)
    def first(self) -> str:
        return self._open(Severity.SEV2)

    def _open(self, severity: Severity) -> str:
        name = f"inc-{len(self.incidents) + 1}"
        finding = self.finding(FindingState.FIRING, Urgency.PAGE).finding
        opened = c.Open(incident_id=name, finding=finding, severity=severity, why="it pages")
        assert self.ask((name, opened))
        return name

    @rule(target=ids, severity=SEVERITIES)
    def open(self, severity: Severity) -> str:
        return self._open(severity)

    @rule(target=ids, severity=SEVERITIES, actor=PEOPLE)
    def declare(self, severity: Severity, actor: str) -> str:
        name = f"inc-{len(self.incidents) + 1}"
        said = c.Declare(incident_id=name, title="blank", severity=severity, actor=actor)
        assert self.ask((name, said))
        return name

    @rule(seconds=st.integers(1, 7_200))
    def wait(self, seconds: int) -> None:
        self.now_ms += seconds * 1_000

    @rule(
        name=ids,
        state=st.sampled_from(list(FindingState)),
        urgency=st.sampled_from(list(Urgency)),
        known=st.booleans(),
    )
    def finds(self, name: str, state: FindingState, urgency: Urgency, known: bool) -> None:
        incident = self.incidents[name]
        if incident.merged_into is not None:
            return  # the desk asks the one in which it goes on
        if known and incident.findings:
            before = next(iter(incident.findings.values()))
            change = self.finding(state, urgency, before.id)
            finding = replace(change.finding, started_ms=before.started_ms, scope=before.scope)
            self.ask((name, replace(change, finding=finding)))
        else:
            finding = self.finding(state, urgency).finding
            self.ask((name, c.AddFinding(finding=finding, why="same service")))

    @rule(source=ids, into=ids, actor=PEOPLE)
    def merge(self, source: str, into: str, actor: str) -> None:
        moved, before = self.incidents[source], self.incidents[into]
        merged = self.ask(
            (source, c.MergeInto(into=into, actor=actor)),
            (into, c.TakeOver(source=moved, actor=actor)),
        )
        if not merged:
            assert self.incidents[source] == moved
            return
        after = self.incidents[into]
        assert after.severity.rank == min(before.severity.rank, moved.severity.rank)
        assert moved.findings.keys() <= after.findings.keys()
        if moved.pages:
            assert after.pages
            news = [f for f in moved.firing if f.urgency is Urgency.PAGE]
            events = [e for e in self.logs[into] if e.seq > before.seq]
            if news and any(f.state is FindingState.FIRING for f in news):
                assert ring_reason(before, after, events)

    @rule(target=ids, name=ids, actor=PEOPLE)
    def split(self, name: str, actor: str) -> object:
        source = self.incidents[name]
        part, ids = f"inc-{len(self.incidents) + 1}", tuple(source.findings)[-1:]
        if not ids:
            return multiple()
        apart = c.OpenApart(
            incident_id=part,
            source=name,
            findings=tuple(source.findings[one] for one in ids),
            severity=Severity.SEV3,
            why="pages",
            actor=actor,
        )
        off = c.SplitOff(finding_ids=ids, into=part, actor=actor)
        return part if self.ask((name, off), (part, apart)) else multiple()

    @rule(name=ids, actor=PEOPLE, status=st.sampled_from(list(Status)))
    def press(self, name: str, actor: str, status: Status) -> None:
        self.ask((name, c.Acknowledge(actor=actor)))
        self.ask((name, c.SetStatus(status=status, actor=actor)))

    @rule(name=ids, actor=PEOPLE)
    def decline(self, name: str, actor: str) -> None:
        if self.ask((name, c.Decline(actor=actor, text="a test"))):
            assert self.incidents[name].status is Status.DECLINED

    @rule(name=ids, actor=PEOPLE)
    def reopen(self, name: str, actor: str) -> None:
        if self.ask((name, c.Reopen(actor=actor, text="back"))):
            assert self.incidents[name].acknowledged_by is None or self.incidents[name].is_open

    @rule(name=ids, milestone=st.sampled_from(list(Milestone)), ago_s=st.integers(-60, 7_200))
    def correct(self, name: str, milestone: Milestone, ago_s: int) -> None:
        at_ms = self.now_ms - ago_s * 1_000
        said = c.CorrectMilestone(milestone=milestone, at_ms=at_ms, actor="ann", text="calls")
        if self.ask((name, said)):
            assert self.incidents[name].milestones[milestone].time_ms == at_ms

    @rule(name=ids, person=PEOPLE, role=st.sampled_from(list(Role)))
    def people(self, name: str, person: str, role: Role) -> None:
        self.ask((name, c.Assign(role=role, person=person, actor="ann")))
        self.ask((name, c.Leave(person=person, actor="ann")))
        self.ask((name, c.Join(person=person, actor=person)))

    @rule(name=ids, done=st.booleans())
    def tasks(self, name: str, done: bool) -> None:
        self.ask((name, c.AddTask(title="mend", actor="ann")))
        self.ask((name, c.ChangeTask(task_id="t1", actor="ann", done=done)))

    @rule(name=ids)
    def reviewed(self, name: str) -> None:
        moved = c.Record(kind=EventKind.POST_MORTEM_MOVED, text="r", data={"to": "reviewed"})
        self.ask((name, moved), (name, c.GiveUpdate(text="over", actor="ann")))

    @rule(name=consumes(ids))
    def forget(self, name: str) -> None:
        """Do nothing more to one."""

    @invariant()
    def all_is_sound(self) -> None:
        for name, incident in self.incidents.items():
            assert fold(self.logs[name]) == incident
            assert [*unsound(incident), *unsound_log(self.logs[name])] == []
        assert [*unsound_together(self.incidents)] == []


TestIncidentsTogether = IncidentsMachine.TestCase
TestIncidentsTogether.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
