"""Random commands of every sort over several incidents; every state is looked at."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import MACHINE, RECORDED, Event
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident, StepState
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.soundness import unsound, unsound_log, unsound_together
from runbooks.incidents.states import Role, Severity, Status
from runbooks.incidents.tasks import TaskKind

PEOPLE = ("ann", "bob", "eve", MACHINE)
T0_MS = 1_700_000_000_000
COMMANDS_A_WORLD = 400


class IllegalStateError(Exception):
    """Something is so that may not be; the message has the seed and the last commands."""


@dataclass
class World:
    """Some incidents, their logs, and a clock."""

    random: random.Random
    now_ms: int = T0_MS
    incidents: dict[str, Incident] = field(default_factory=dict)
    logs: dict[str, list[Event]] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    findings: int = 0

    def finding(self, finding_id: str = "", started_ms: int = 0) -> Finding:
        """Return a finding in any state, a new one unless an id is given."""
        if not finding_id:
            self.findings += 1
        state = self.random.choice(list(FindingState))
        started_ms = started_ms or self.now_ms - self.random.randrange(600_000)
        return Finding(
            id=finding_id or f"f{self.findings}",
            rule=f"slo/{self.random.randrange(3)}",
            kind=FindingKind.ANOMALY,
            state=state,
            urgency=self.random.choice(list(Urgency)),
            title="a finding",
            explanation="too low",
            scope={"service.name": self.random.choice("abc")},
            started_ms=started_ms,
            detected_ms=self.now_ms,
            updated_ms=self.now_ms,
            ended_ms=self.now_ms if state is FindingState.RESOLVED else None,
            expression=":true,:sum",
            window_ms=60_000,
            observed=self.random.random(),
            baseline=10.0,
            unit="1/s",
            given_up=state is FindingState.RESOLVED and self.random.random() < 0.1,
        )

    def ask(self, *asked: tuple[str, c.Command]) -> bool:
        """Carry out commands together, each on its incident: all, or none. Return which."""
        fresh: dict[str, Incident] = {}
        added: list[Event] = []
        for incident_id, command in asked:
            self.counted[type(command).__name__] += 1
            before = fresh.get(incident_id, self.incidents.get(incident_id))
            try:
                events = decide(before, command, self.now_ms)
            except ConflictError:
                self.counted["refused"] += 1
                return False
            if events:
                fresh[incident_id] = fold(events, before)
                added += events
        for event in added:
            self.logs.setdefault(event.incident_id, []).append(event)
        self.incidents |= fresh
        self._look(fresh)
        return True

    def _look(self, changed: dict[str, Incident]) -> None:
        for incident_id, incident in changed.items():
            for words in unsound(incident):
                raise IllegalStateError(f"{incident_id}: {words}")

    def look_at_all(self) -> None:
        """Fold every log anew and look at the incidents beside each other."""
        for incident_id, log in self.logs.items():
            if fold(log) != self.incidents[incident_id]:
                raise IllegalStateError(f"{incident_id}: its log gives another state")
            for words in unsound_log(log):
                raise IllegalStateError(f"{incident_id}: {words}")
        for words in unsound_together(self.incidents):
            raise IllegalStateError(words)

    @property
    def next_id(self) -> str:
        """Id of the next incident."""
        return f"inc-{len(self.incidents) + 1:04d}"


def run(commands: int, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Give at least so many commands; return how many there were of each sort.

    Raises:
        IllegalStateError: A state was reached that may not be.
    """
    counted: Counter[str] = Counter()
    began_s, number = time.monotonic(), 0
    while sum(counted.values()) - counted["refused"] < commands:
        world_seed = seed * 1_000_003 + number
        try:
            counted += play(world_seed)
        except IllegalStateError as error:
            raise IllegalStateError(f"world {world_seed}: {error}") from error
        number += 1
        if number % 100 == 0:
            given = sum(counted.values()) - counted["refused"]
            say(f"{given:,} commands in {number:,} worlds, {time.monotonic() - began_s:.0f} s")
    return counted


def play(seed: int) -> Counter[str]:
    """Play one world to its end; return how many commands of each sort were given."""
    world = World(random.Random(seed))
    world.ask((world.next_id, _open(world)))
    for _ in range(COMMANDS_A_WORLD):
        world.now_ms += world.random.choice((0, 1, 1_000, 60_000, 3_600_000))
        world.random.choice(_MOVES)(world)
    world.look_at_all()
    return world.counted


def _open(world: World) -> c.Open:
    severity = world.random.choice(list(Severity))
    finding = world.finding()
    return c.Open(incident_id=world.next_id, finding=finding, severity=severity, why="it pages")


def _opens(world: World) -> None:
    if len(world.incidents) < 8:
        world.ask((world.next_id, _open(world)))


def _declares(world: World) -> None:
    if len(world.incidents) >= 8:
        return
    declare = c.Declare(
        incident_id=world.next_id,
        title="blank",
        severity=world.random.choice(list(Severity)),
        actor=_person(world),
        scope={"service.name": "a"},
        started_ms=world.random.choice((None, world.now_ms - 60_000)),
    )
    world.ask((world.next_id, declare))


def _merges(world: World) -> None:
    source, into = _incident(world), _incident(world)
    actor = _person(world)
    world.ask(
        (source.id, c.MergeInto(into=into.id, actor=actor)),
        (into.id, c.TakeOver(source=source, actor=actor)),
    )


def _splits(world: World) -> None:
    source = _incident(world)
    count = world.random.randrange(3)
    ids = tuple(world.random.sample([*source.findings], min(count, len(source.findings))))
    part, actor = world.next_id, _person(world)
    off = c.SplitOff(finding_ids=ids, into=part, actor=actor)
    if not ids:
        world.ask((source.id, off))
        return
    apart = c.OpenApart(
        incident_id=part,
        source=source.id,
        findings=tuple(source.findings[i] for i in ids),
        severity=Severity.SEV3,
        why="pages",
        actor=actor,
    )
    world.ask((source.id, off), (part, apart))


def _finds(world: World) -> None:
    incident = _incident(world)
    if incident.findings and world.random.random() < 0.7:
        known = world.random.choice([*incident.findings.values()])
        found = world.finding(known.id, known.started_ms)
        command: c.Command = c.ChangeFinding(finding=replace(found, rule=known.rule))
    else:
        command = c.AddFinding(finding=world.finding(), why="same service")
    if incident.merged_into is None:
        world.ask((incident.id, command))


def _counts(world: World) -> None:
    firing = world.random.randrange(20)
    command = c.CountCrowd(
        rule="slo/1",
        title="more",
        firing=firing,
        seen=firing + world.random.randrange(20),
        latest_ms=world.now_ms,
    )
    world.ask((_incident(world).id, command))


def _presses(world: World) -> None:
    who, r = _person(world), world.random
    commands: tuple[c.Command, ...] = (
        c.Acknowledge(actor=who),
        c.SetStatus(status=r.choice(list(Status)), actor=who),
        c.Reopen(actor=who, text="back", impact_start_ms=r.choice((None, world.now_ms - 60_000))),
        c.SetSeverity(severity=r.choice(list(Severity)), actor=who),
        c.Decline(actor=who, text=r.choice(("", "a test"))),
        c.Assign(role=r.choice(list(Role)), person=_person(world), actor=who),
        c.Join(person=_person(world), actor=who),
        c.Leave(person=_person(world), actor=who),
        c.CorrectMilestone(
            milestone=r.choice(list(Milestone)),
            at_ms=world.now_ms + r.randrange(-7_200_000, 600_000),
            actor=who,
            text=r.choice(("", "first call")),
        ),
        c.AddTask(title="mend it", actor=who, kind=r.choice(list(TaskKind))),
        c.ChangeTask(task_id=f"t{r.randrange(4)}", actor=who, done=r.choice((True, False, None))),
        c.GiveUpdate(text=r.choice(("", "we look")), actor=who),
        c.Note(text="a note", actor=who),
    )
    world.ask((_incident(world).id, r.choice(commands)))


def _machine(world: World) -> None:
    incident, r = _incident(world), world.random
    commands: tuple[c.Command, ...] = (
        c.RecordPage(notifier="n", channel="c", outbox_id=1, failure=r.choice(("", "gone"))),
        c.RingAgain(text="again", rung_ms=r.choice((None, incident.rung_ms))),
        c.RemindOfUpdate(told_ms=incident.update_told_ms or 0, text="due"),
        c.ProposeRunbook(name="r", title="R", why="w", step_ids=("a", "b"), score=r.randrange(9)),
        c.SetStep(step_id=r.choice("abc"), state=r.choice(list(StepState)), actor="ann"),
        c.RecordPostMortem(file="x.md", blanks=2),
        c.Record(
            kind=r.choice(sorted(RECORDED)), text="done", data={"to": r.choice(("reviewed", "x"))}
        ),
    )
    world.ask((incident.id, r.choice(commands)))


def _incident(world: World) -> Incident:
    return world.random.choice([*world.incidents.values()])


def _person(world: World) -> str:
    return world.random.choice(PEOPLE)


_MOVES: tuple[Callable[[World], None], ...] = (
    *(_presses,) * 8,
    *(_finds,) * 5,
    *(_machine,) * 3,
    _counts,
    _opens,
    _declares,
    _merges,
    _splits,
)
