"""Runs that really run: what is due is claimed in the database, then done, then recorded."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from collectors.clock import Clock
from collectors.errors import (
    ConflictError,
    NotFoundError,
    StorageError,
    TocsinError,
)
from runbooks.automation.allowing import Allowed
from runbooks.automation.carrying.situation import Reader, Situation
from runbooks.automation.carrying.steps import carry_out
from runbooks.automation.planning import plan_of
from runbooks.automation.runbook import Runbook
from runbooks.automation.running.advance import (
    MACHINE,
    Action,
    Begin,
    advance,
    apply,
    settled,
)
from runbooks.automation.running.deciding import Decision, Verb, decide, interrupted
from runbooks.automation.running.store import RunStore
from runbooks.automation.running.telling import ticked, told
from runbooks.automation.state import Outcome, Run, StepState
from runbooks.incidents.commands import Command
from runbooks.incidents.events import Event
from runbooks.incidents.incident import Incident

MAX_LIVE_RUNS = 100
"""Runs in which something is still to be done; a further one is refused."""

MAX_BUSY_STEPS = 16
"""Steps that run at the same time; further ones wait."""

_LOOK_EVERY_MS = 5_000
_TRIES = 5
_PAUSE_S = 0.05
_log = structlog.get_logger(__name__)

Spawn = Callable[[Callable[[], None]], None]
"""Has something done beside; returns at once."""


def in_thread(work: Callable[[], None]) -> None:
    """Do ``work`` in a thread that keeps no process alive."""
    threading.Thread(target=work, name="tocsin-runbook-step", daemon=True).start()


class Room(Protocol):
    """Where incidents are, and their pages."""

    def hold_first_pages(self, hold: Callable[[Incident], int]) -> None:
        """Have the pages of a new incident wait for so many milliseconds."""
        ...

    def put_off(self, incident_id: str, until_ms: int, reason: str) -> None:
        """Let an incident's pages wait until a time, or no longer."""
        ...

    def events(self, incident_id: str) -> Sequence[Event]:
        """Return the whole log of one incident."""
        ...

    def subscribe(self, subscriber: Callable[[Incident, Sequence[Event]], None]) -> None:
        """Have ``subscriber`` called after each change of one; it must be quick."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """Return one; raise ``NotFoundError`` if there is none."""
        ...

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out commands."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    run_id: str
    step_id: str
    attempt: int
    outcome: Outcome


class Runner:
    """Begins runs, moves them on and takes people's words about them.

    Args:
        store: Where runs are kept.
        room: Where incidents are.
        metrics: Evaluates expressions.
        clock: The present.
        allowed: What steps may reach.
        alone: Whether no other process uses the database: what was running at the start is lost.
        spawn: Has steps done beside.
        wake: Asks for a turn soon; called from any thread.
    """

    def __init__(
        self,
        store: RunStore,
        room: Room,
        metrics: Reader,
        clock: Clock,
        *,
        allowed: Allowed,
        alone: bool = True,
        spawn: Spawn = in_thread,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.allowed = allowed
        self._store = store
        self._room = room
        self._metrics = metrics
        self._clock = clock
        self._alone = alone
        self.spawn = spawn
        self._wake = wake
        self._owner = secrets.token_hex(8)
        self._lock = threading.RLock()
        self._results: deque[_Result] = deque()
        self._cancels: dict[tuple[str, str, int], threading.Event] = {}
        self._output: dict[tuple[str, str], str] = {}
        self._live: dict[str, None] = {}
        self._looked_ms: int | None = None
        self._stopping = False

    def start(
        self,
        runbook: Runbook,
        incident: Incident,
        said: Mapping[str, str],
        *,
        by: str,
        reason: str = "",
    ) -> Run:
        """Begin a run.

        Raises:
            InputError: A value is missing or not allowed.
            ConflictError: The runbook runs for the incident already, or too many do.
            StorageError: The database failed; nothing has begun.
        """
        run = Run(
            id=f"run-{secrets.token_hex(5)}",
            incident_id=incident.id,
            plan=plan_of(runbook, incident, said, self.allowed),
            requested_by=by,
            reason=reason,
            created_ms=self._clock.now_ms(),
        )
        with self._lock:
            live = [self._store.run(run_id) for run_id in self._store.live()]
            if len(live) >= MAX_LIVE_RUNS:
                raise ConflictError(f"{len(live)} runs are under way; end some of them first")
            for other in live:
                if (other.incident_id, other.plan.runbook) == (incident.id, runbook.name):
                    message = f"{runbook.name} runs for {incident.id} already: {other.id}"
                    raise ConflictError(f"{message}; abort it first")
            self._store.create(run)
            self._live[run.id] = None
            self._tell(None, run, by)
        self._wake()
        return run

    def decide(self, run_id: str, decision: Decision) -> Run:
        """Carry out a person's word about a run; see :func:`decide`.

        Raises:
            NotFoundError: There is no such run or step.
            ConflictError: Not possible in the present state.
            NotAllowedError: Somebody else must say it.
            StorageError: The database failed; nothing has changed.
        """
        now_ms = self._clock.now_ms()
        with self._lock:
            run = self._change(run_id, lambda run: decide(run, decision, now_ms), decision.by)
            if run.is_live:
                self._live[run.id] = None
            if decision.verb is Verb.ABORT:
                for (cancelled, _, _), event in self._cancels.items():
                    if cancelled == run_id:
                        event.set()
        self._wake()
        return run

    def run(self, run_id: str) -> Run:
        """Return a run with the output that its steps have given so far."""
        run = self._store.run(run_id)
        for (owner, step_id), text in self._output.copy().items():
            if owner == run_id and run.of(step_id).state is StepState.RUNNING:
                run = run.with_progress(replace(run.of(step_id), text=text))
        return run

    def latest(self, incident_id: str = "") -> list[Run]:
        """Return the newest runs first: all, or those of one incident."""
        return self._store.latest(incident_id)

    def recover(self) -> None:
        """Find what a process that died had begun: nobody knows how it went."""
        if not self._alone:
            # Another process may run it: it is given up when its time is over.
            return
        now_ms = self._clock.now_ms()
        for run_id in self._store.running():
            self._change(run_id, lambda run: _given_up(run, now_ms), MACHINE)

    def stop(self, patience_s: float) -> None:
        """Begin nothing more and tell all that runs to end; wait so long for its results.

        What has not ended by then is found unknown at the next start.
        """
        self._stopping = True
        until_s = time.monotonic() + patience_s
        while self._cancels and time.monotonic() < until_s:
            for event in [*self._cancels.values()]:
                event.set()
            time.sleep(_PAUSE_S)
        with suppress(StorageError), self._lock:
            self._take_results()

    def tick(self) -> None:
        """Take in what has ended and do what is due.

        Raises:
            StorageError: The database failed; the rest is done in a later turn.
        """
        with self._lock:
            self._look()
            while True:
                self._take_results()
                moved = [run_id for run_id in [*self._live] if self._move(run_id)]
                if not moved and not self._results:
                    return

    def _look(self) -> None:
        now_ms = self._clock.now_ms()
        if self._looked_ms is None or abs(now_ms - self._looked_ms) >= _LOOK_EVERY_MS:
            self._looked_ms = now_ms
            self._live |= dict.fromkeys(self._store.live())

    def _take_results(self) -> None:
        while self._results:
            result = self._results[0]
            self._output.pop((result.run_id, result.step_id), None)
            try:
                self._change(result.run_id, self._settle(result), MACHINE)
            except NotFoundError:
                _log.warning("a run was forgotten while it ran", run=result.run_id)
            self._results.popleft()

    def _settle(self, result: _Result) -> Callable[[Run], Run]:
        now_ms = self._clock.now_ms()

        def settle(run: Run) -> Run:
            progress = replace(
                run.of(result.step_id),
                state=result.outcome.state,
                text=result.outcome.text,
                data=dict(result.outcome.data),
                since_ms=now_ms,
            )
            return settled(run, result.step_id, result.attempt, progress)

        return settle

    def _move(self, run_id: str) -> bool:
        """Do what is due of a run; return whether anything was."""
        if self._stopping:
            return False
        run = self._store.run(run_id)
        now_ms = self._clock.now_ms()
        actions = self._bounded(advance(run, now_ms))
        if not actions:
            if not run.is_live:
                self._live.pop(run_id, None)
            return False
        after = run
        for action in actions:
            after = apply(after, action, now_ms, self._owner)
        try:
            # Whoever has not kept it has not begun it: two processes never run the same attempt.
            after = self._store.save(after)
        except ConflictError:
            return False
        self._tell(run, after, MACHINE)
        for action in actions:
            if isinstance(action, Begin):
                self._begin(after, action.step_id)
        return True

    def _bounded(self, actions: Sequence[Action]) -> list[Action]:
        room = MAX_BUSY_STEPS - len(self._cancels)
        kept: list[Action] = []
        for action in actions:
            if isinstance(action, Begin):
                room -= 1
                if room < 0:
                    continue
            kept.append(action)
        return kept

    def _begin(self, run: Run, step_id: str) -> None:
        attempt = run.of(step_id).attempt
        key = (run.id, step_id, attempt)
        cancelled = self._cancels[key] = threading.Event()

        def work() -> None:
            outcome = self._outcome(run, step_id, cancelled)
            self._cancels.pop(key, None)
            self._results.append(
                _Result(run_id=run.id, step_id=step_id, attempt=attempt, outcome=outcome)
            )
            self._wake()

        self.spawn(work)

    def _outcome(self, run: Run, step_id: str, cancelled: threading.Event) -> Outcome:
        step = run.plan.step(step_id)
        if step is None:
            return Outcome(state=StepState.FAILED, text=f"the plan has no step {step_id}")

        def said(text: str) -> None:
            self._output[run.id, step_id] = text

        try:
            situation = Situation(
                incident=self._room.incident(run.incident_id),
                values=run.plan.values,
                allowed=self.allowed,
                metrics=self._metrics,
                now_ms=self._clock.now_ms,
                cancelled=cancelled,
                said=said,
            )
            return carry_out(step, situation)
        except TocsinError as error:
            return Outcome(state=StepState.FAILED, text=error.message)
        except Exception as error:  # noqa: BLE001 - a defect in one step must be told, not lost
            _log.exception("step failed unexpectedly", run=run.id, step=step_id)
            state = StepState.UNKNOWN if step.changes else StepState.FAILED
            return Outcome(state=state, text=f"unexpectedly: {type(error).__name__}: {error}")

    def _change(self, run_id: str, change: Callable[[Run], Run], actor: str) -> Run:
        for _ in range(_TRIES):
            run = self._store.run(run_id)
            after = change(run)
            if after == run:
                return run
            try:
                after = self._store.save(after)
            except ConflictError:
                continue
            self._tell(run, after, actor)
            return after
        raise StorageError(f"{run_id} is changed by others all the time; try again")

    def _tell(self, before: Run | None, after: Run, actor: str) -> None:
        records = [*told(before, after, actor)]
        if not records:
            return
        try:
            incident = self._room.execute(after.incident_id, *records)
            if ticks := [*ticked(after, incident, actor)]:
                self._room.execute(after.incident_id, *ticks)
        except TocsinError as error:
            # The run itself is kept; what is missing is only its line in the timeline.
            _log.warning("timeline not told of a run", run=after.id, reason=error.message)


def _given_up(run: Run, now_ms: int) -> Run:
    for progress in run.progress.values():
        if progress.state is StepState.RUNNING:
            run = run.with_progress(interrupted(progress, now_ms))
    return run
