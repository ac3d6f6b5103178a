"""Runbooks that act: begun by people or by an incident that opens, in a thread of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Engine

from collectors.background import Background
from collectors.clock import Clock
from collectors.errors import ConflictError, InputError, NotFoundError, TocsinError
from runbooks.automation.allowing import Allowed
from runbooks.automation.carrying.situation import Reader, Situation
from runbooks.automation.carrying.steps import resolved
from runbooks.automation.planning import plan_of
from runbooks.automation.runbook import Runbook, Step
from runbooks.automation.running.advance import MACHINE
from runbooks.automation.running.deciding import Decision
from runbooks.automation.running.diagnosing import (
    MAX_FIRST_WAIT_MS,
    MAX_KEPT,
    Diagnoser,
    Diagnosis,
    news,
    words,
)
from runbooks.automation.running.runner import Room, Runner
from runbooks.automation.running.store import RunStore
from runbooks.automation.running.suppressing import Held, Verdict, first_verdict, held, next_verdict
from runbooks.automation.state import JsonValue, Plan, Run
from runbooks.incidents.commands import Record
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident

_log = structlog.get_logger(__name__)
_MAX_STOP_S, _PATIENCE_S = 10.0, 2.0
_BEGINNINGS = frozenset({EventKind.OPENED, EventKind.REOPENED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a step of a run would do; ``problem`` is why it could not, if it could not."""

    step: Step
    would: str
    problem: str = ""


class Automation:
    """All that runbooks do by themselves or when told to.

    Args:
        engine: The incident database.
        room: Where incidents are.
        metrics: Evaluates expressions.
        clock: The present.
        library: The runbooks.
        allowed: What steps may reach; nothing by default.

    Attributes:
        patience_s: At the end, how long what runs has to end, too.
    """

    def __init__(
        self,
        engine: Engine,
        room: Room,
        metrics: Reader,
        clock: Clock,
        library: Sequence[Runbook],
        allowed: Allowed | None = None,
    ) -> None:
        self.patience_s = _PATIENCE_S
        self._room = room
        self._metrics = metrics
        self._clock = clock
        self._library = {runbook.name: runbook for runbook in library}
        self._worker = Background("tocsin-runbooks", self.tick, interval_s=0.5)
        self.runner = Runner(
            RunStore(engine),
            room,
            metrics,
            clock,
            allowed=allowed or Allowed(),
            alone=engine.dialect.name == "sqlite",
            wake=self._worker.request,
        )
        self._diagnoser = Diagnoser(
            metrics,
            clock,
            allowed=lambda: self.runner.allowed,
            spawn=lambda: self.runner.spawn,
            wake=self._worker.request,
        )
        self._proposed: deque[tuple[str, str]] = deque()
        self._undecided: dict[str, Diagnosis] = {}
        self._held: dict[str, Held] = {}
        self._read: dict[str, list[JsonValue]] = {}
        self._recovered = False
        room.subscribe(self.changed)
        room.hold_first_pages(self._hold_ms)

    def start(self) -> None:
        """Start the thread; what a process that died had begun is looked up first."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread. What runs beside is told to end, and has a moment for it."""
        self._diagnoser.cancel()
        self._worker.close(_MAX_STOP_S)
        self.runner.stop(self.patience_s)

    def use(self, library: Sequence[Runbook], allowed: Allowed) -> None:
        """Go on with other runbooks; runs that have begun keep their plan, and the new limits."""
        self._library = {runbook.name: runbook for runbook in library}
        self.runner.allowed = allowed

    def changed(self, incident: Incident, events: Sequence[Event]) -> None:
        """Take note of an incident that has changed; returns at once."""
        kinds = {event.kind for event in events}
        runbook = self._library.get(incident.runbook.name) if incident.runbook else None
        first = EventKind.RUNBOOK_PROPOSED in kinds and self._diagnoser.of(incident.id) is None
        if runbook is not None and runbook.diagnose and (first or kinds & _BEGINNINGS):
            self._diagnoser.begin(incident, runbook)
            diagnosis = self._diagnoser.of(incident.id)
            if runbook.suppress is not None and EventKind.OPENED in kinds and diagnosis:
                self._undecided[incident.id] = diagnosis
            self._worker.request()
        for event in events:
            if event.kind is EventKind.RUNBOOK_PROPOSED and incident.runbook is not None:
                self._proposed.append((incident.id, incident.runbook.name))
                self._worker.request()

    def tick(self) -> None:
        """Do what is due.

        Raises:
            StorageError: The database failed; the rest is done in a later turn.
        """
        if not self._recovered:
            self.runner.recover()
            self._recovered = True
        while self._proposed:
            self._begin_by_itself(*self._proposed.popleft())
        self._mind_pages()
        self._tell_diagnoses()
        self.runner.tick()

    def diagnosis(self, incident_id: str, *, wait: bool = False) -> list[JsonValue]:
        """Return what an incident's diagnosis found, step by step; nothing if there was none.

        Args:
            incident_id: Of which incident.
            wait: Wait for its end, but never longer than a first page may.
        """
        diagnosis = self._diagnoser.of(incident_id)
        if diagnosis is not None:
            if wait:
                diagnosis.wait()
            return [result.as_json() for result in diagnosis.results()]
        if incident_id not in self._read:
            self._read[incident_id] = self._found_before(incident_id)
            if len(self._read) > MAX_KEPT:
                self._read.pop(next(iter(self._read)))
        return self._read[incident_id]

    def diagnosis_lines(self, incident_id: str) -> tuple[str, ...]:
        """Return a diagnosis as a message has it; a first one waits for it within its bound."""
        return news(self.diagnosis(incident_id, wait=True))

    def runbook(self, name: str) -> Runbook:
        """Return a runbook of the library.

        Raises:
            NotFoundError: There is none of this name.
        """
        found = self._library.get(name)
        if found is None:
            known = ", ".join(sorted(self._library))
            raise NotFoundError(f"there is no runbook {name[:60]!r}; there are {known}")
        return found

    def begin(
        self, name: str, incident_id: str, said: Mapping[str, str], *, by: str, reason: str = ""
    ) -> Run:
        """Begin a run; nothing begins that would stop for want of a value or a permission.

        Raises:
            NotFoundError: There is no such runbook or incident.
            InputError: A value is missing or not allowed.
            ConflictError: The incident is over, or the runbook runs for it already.
            StorageError: The database failed; nothing has begun.
        """
        runbook, incident = self.runbook(name), self._room.incident(incident_id)
        if not incident.is_open:
            raise ConflictError(f"{incident.id} is {incident.status}; reopen it first")
        plan = plan_of(runbook, incident, said, self.runner.allowed)
        wrong = next((one for one in self._rehearsed(plan, incident) if one.problem), None)
        if wrong is not None:
            raise InputError(f"{name} can't run: step {wrong.step.id}: {wrong.problem}")
        return self.runner.start(runbook, incident, said, by=by, reason=reason)

    def rehearse(self, name: str, incident_id: str, said: Mapping[str, str]) -> list[Rehearsed]:
        """Return what a run would do, step by step with its values; nothing is touched.

        Raises:
            NotFoundError: There is no such runbook or incident.
            InputError: A value is missing or not allowed.
        """
        runbook, incident = self.runbook(name), self._room.incident(incident_id)
        plan = plan_of(runbook, incident, said, self.runner.allowed)
        return [*self._rehearsed(plan, incident)]

    def decide(self, run_id: str, decision: Decision) -> Run:
        """Carry out a person's word; see :meth:`Runner.decide`."""
        return self.runner.decide(run_id, decision)

    def _found_before(self, incident_id: str) -> list[JsonValue]:
        """Return what an earlier process has found."""
        for event in reversed(self._room.events(incident_id)):
            found = event.data.get("results")
            if event.kind is EventKind.DIAGNOSED and isinstance(found, list):
                return found
        return []

    def _hold_ms(self, incident: Incident) -> int:
        """Return how long a new incident's page waits for a check that may hold it back."""
        runbook = self._library.get(incident.runbook.name) if incident.runbook else None
        return MAX_FIRST_WAIT_MS if runbook is not None and runbook.suppress else 0

    def _mind_pages(self) -> None:
        now_ms = self._clock.now_ms()
        for incident_id, diagnosis in [*self._undecided.items()]:
            rule = diagnosis.runbook.suppress
            verdict = first_verdict(diagnosis, rule, now_ms) if rule else None
            if rule is None or verdict is None:
                continue
            self._carry_out(incident_id, verdict)
            self._undecided.pop(incident_id)
            if verdict.until_ms is not None:
                self._held[incident_id] = held(diagnosis, rule, verdict.text, now_ms)
        for incident_id, page in [*self._held.items()]:
            incident = self._room.incident(incident_id)
            again = partial(self._diagnoser.look, page.diagnosis)
            verdict = next_verdict(page, incident, again, now_ms)
            if verdict is None:
                continue
            self._carry_out(incident_id, verdict, page.text)
            page.looked_ms = now_ms
            if verdict.until_ms is None:
                self._held.pop(incident_id)

    def _carry_out(self, incident_id: str, verdict: Verdict, known: str = "") -> None:
        """Put the page off, or let it ring; what is decided anew is recorded with its reason."""
        now_ms = self._clock.now_ms()
        until_ms = now_ms if verdict.until_ms is None else verdict.until_ms
        self._room.put_off(incident_id, until_ms, verdict.text)
        if verdict.text and verdict.text != known:
            data: dict[str, JsonValue] = {"held": verdict.until_ms is not None}
            self._room.execute(
                incident_id, Record(kind=EventKind.SUPPRESSED, text=verdict.text, data=data)
            )

    def _tell_diagnoses(self) -> None:
        for diagnosis in self._diagnoser.due():
            results = diagnosis.results()
            data: dict[str, JsonValue] = {
                "runbook": diagnosis.runbook.name,
                "results": [result.as_json() for result in results],
            }
            record = Record(kind=EventKind.DIAGNOSED, text=words(results), data=data)
            self._room.execute(diagnosis.incident.id, record)
            diagnosis.told = True

    def _rehearsed(self, plan: Plan, incident: Incident) -> Iterator[Rehearsed]:
        situation = Situation(
            incident=incident,
            values=plan.values,
            allowed=self.runner.allowed,
            metrics=self._metrics,
            now_ms=self._clock.now_ms,
        )
        for step in plan.steps:
            for one in (step, *([step.rollback] if step.rollback else [])):
                try:
                    yield Rehearsed(step=one, would=resolved(one, situation))
                except TocsinError as error:
                    yield Rehearsed(step=one, would="", problem=error.message)

    def _begin_by_itself(self, incident_id: str, name: str) -> None:
        runbook = self._library.get(name)
        if runbook is None or not runbook.on_open:
            return
        before = self.runner.latest(incident_id)
        if any(run.plan.runbook == name and run.requested_by == MACHINE for run in before):
            return
        try:
            self.begin(name, incident_id, {}, by=MACHINE, reason="proposed for the incident")
        except (InputError, ConflictError) as error:
            text = f"runbook {name} did not begin by itself: {error.message}"
            _log.warning("runbook did not begin by itself", runbook=name, reason=error.message)
            with suppress(TocsinError):
                self._room.execute(incident_id, Record(kind=EventKind.RUNBOOK_RUN, text=text))
