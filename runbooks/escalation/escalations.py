"""Escalations of the open incidents: takes what steps are due, and says who is called.

Each step is one event of the incident's record; what it rings is queued, and the next step made
due, in the same transaction (see :mod:`runbooks.escalation.keeping`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import ConflictError, InputError
from runbooks.escalation import store
from runbooks.escalation.auditing import Audit
from runbooks.escalation.course import Action, Move, following, next_action
from runbooks.escalation.keeping import keep
from runbooks.escalation.policy import Policy, targets_to_json
from runbooks.escalation.store import DueStep, Run, RunState
from runbooks.escalation.telling import ringing_text
from runbooks.escalation.whom import Rung, whom
from runbooks.incidents.commands import Record
from runbooks.incidents.events import Event, EventKind, JsonValue
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Called
from runbooks.oncall.roster import Roster
from runbooks.paging.routing import Routes
from tocsin.client.wording import duration, moment

Beside = Callable[[Connection, Incident | None, Incident, Sequence[Event]], None]
WITHHELD_MS = 5_000
"""A step of what must ring nobody now is looked at again after so long."""

_log = structlog.get_logger(__name__)


class Records(Protocol):
    """The ledger, as far as it concerns escalations."""

    @property
    def routes(self) -> Routes:
        """Say which policy an incident has."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """Return one."""
        ...

    def execute(self, incident_id: str, *commands: Record) -> Incident:
        """Put something on an incident's record."""
        ...

    def keep_beside(self, beside: Beside) -> None:
        """Call ``beside`` in the transaction of every change."""
        ...


class Escalations:
    """All of them.

    Args:
        engine: The incident database.
        ledger: Where incidents are.
        policies: By name.
        roster: Says who is on call.
        withheld: Returns why an incident must ring nobody now, "" when it may.

    Attributes:
        policies: By name; a run that began keeps its own.
        taken: How many steps this process has taken.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Records,
        policies: Mapping[str, Policy] | None,
        roster: Roster,
        withheld: Callable[[Incident], str] = lambda _: "",
    ) -> None:
        self._withheld = withheld
        self._engine = engine
        self._ledger = ledger
        self.policies = dict(policies or {})
        self._roster = roster
        self.taken = 0
        ledger.keep_beside(self.keep)

    def policy_of(self, incident: Incident) -> Policy | None:
        """Return the policy that an incident has by its route, None if that names none."""
        return self.policies.get(self._ledger.routes.policy(incident))

    def keep(
        self,
        connection: Connection,
        before: Incident | None,
        incident: Incident,
        events: Sequence[Event],
    ) -> None:
        """See :func:`runbooks.escalation.keeping.keep`."""
        keep(connection, before, incident, events, self.policy_of)

    def tick(self, now_ms: int) -> None:
        """Take every step that is due; one that rings nobody makes the next one due at once."""
        while True:
            with self._engine.connect() as connection:
                due = store.due_steps(connection, now_ms)
            taken = [self._take(step, now_ms) for step in due]
            if not any(taken):
                return

    def _take(self, due: DueStep, now_ms: int) -> bool:
        """Take one step; return whether it was."""
        with self._engine.connect() as connection:
            run = store.latest_run(connection, due.incident_id)
        if run is None or run.generation != due.generation:
            return False
        action = next_action(run.policy, due.step, now_ms)
        try:
            if self._withheld(self._ledger.incident(due.incident_id)):
                self._put_off(due, now_ms)
                return False
            self._ledger.execute(due.incident_id, self._record(run, due, action, now_ms))
        except ConflictError:
            return False  # taken by another process, or answered in between
        except InputError as error:
            _log.error("escalation waits", incident=due.incident_id, reason=error.message)
            return False
        self.taken += 1
        return True

    def hasten(self, incident_id: str, actor: str, text: str, now_ms: int) -> Incident:
        """Ring whoever is next now, because a person asks for it; return the incident.

        While nobody has answered that is the next level of its policy; otherwise, or without a
        policy, those whom its route rings are rung again.

        Raises:
            NotFoundError: There is no such incident.
            ConflictError: It is over.
        """
        incident = self._ledger.incident(incident_id)
        if not incident.is_open:
            raise ConflictError(f"{incident_id} is {incident.status}; nobody has to be rung")
        with self._engine.connect() as connection:
            run = store.latest_run(connection, incident_id)
            step = store.next_step(connection, incident_id)
        climbs = run is not None and run.state is RunState.RUNNING and step is not None
        what = "the next level is rung" if climbs else "those whom its route rings are rung again"
        record = Record(
            kind=EventKind.ESCALATED,
            text=f"escalated by {actor}: {what}" + (f", because: {text}" if text else ""),
            actor=actor,
            data={} if climbs else {"loud": True},
        )
        incident = self._ledger.execute(incident_id, record)
        if climbs and step is not None:
            with self._engine.begin() as connection:
                store.put_off(connection, step, now_ms)
        return incident

    def _put_off(self, due: DueStep, now_ms: int) -> None:
        """Wait with a step: a silence, or a maintenance, must not use up the levels."""
        with self._engine.begin() as connection:
            store.put_off(connection, due, now_ms + WITHHELD_MS)

    def _record(self, run: Run, due: DueStep, action: Action, now_ms: int) -> Record:
        data: dict[str, JsonValue] = {
            "generation": due.generation,
            "step": due.step.number,
            "policy": run.policy.name,
            "loud": True,
        }
        if action.move is Move.LAPSE:
            after = duration((run.policy.acknowledge_timeout_ms or 0) / 1_000)
            text = f"the acknowledgement lapses: nobody has done anything for {after}; rung again"
            return Record(kind=EventKind.ESCALATED, text=text, data=data | {"lapsed": True})
        if action.move is Move.EXHAUST:
            return _exhausted(run, due, data)
        rung = whom(run.policy.levels[action.level], self._roster.duty, now_ms)
        step = following(run.policy, due.step, now_ms, rang=rung.anybody)
        text = ringing_text(run.policy, action, rung)
        data |= {
            "level": action.level + 1,
            "round": action.round + 1,
            # What began the run has rung the channels of the route already.
            "loud": rung.anybody and not (run.rung and due.step.number == 0),
            "targets": targets_to_json(rung.targets),
            "called": _called(text, rung, action),
            "next": asdict(step),
        }
        return Record(kind=EventKind.ESCALATED, text=text, data=data)

    def called(self, incident: Incident, now_ms: int) -> Called | None:
        """Return whom an incident's message calls; None if no policy says so."""
        try:
            with self._engine.connect() as connection:
                run = store.latest_run(connection, incident.id)
                step = store.next_step(connection, incident.id)
        except SQLAlchemyError:
            run = step = None  # a message must not wait for the database
        if run is not None and run.state is RunState.EXHAUSTED:
            return Called(words=f"Escalation exhausted: nobody answered ({run.policy.title})")
        if run is not None and run.state is RunState.RUNNING and run.called:
            members = [str(member) for member in run.called["members"]]
            then = f"; next step at {moment(step.step.due_ms)}" if step else ""
            words = f"{run.called['words']}{then}"
            return Called(words=words, slack="".join(members[:1]), others=tuple(members[1:]))
        policy = run.policy if run else self.policy_of(incident)
        if policy is None or incident.acknowledged_by is not None:
            return None
        rung = whom(policy.levels[0], self._roster.duty, now_ms)
        text = ringing_text(policy, Action(move=Move.RING), rung)
        members = [person.slack for person in rung.people if person.slack]
        return Called(words=text, slack="".join(members[:1]), others=tuple(members[1:]))

    def rings(self, incident_id: str) -> bool:
        """Whether a policy says when an incident rings next."""
        with self._engine.connect() as connection:
            return store.next_step(connection, incident_id) is not None

    def counted(self, audit: Audit) -> dict[str, float]:
        """Return how escalations stand, for our own metrics."""
        return {"taken": self.taken, **asdict(audit)}

    def state(self, incident_id: str) -> dict[str, JsonValue] | None:
        """Return how an incident's escalation stands, as the API shows it; None: it has none."""
        with self._engine.connect() as connection:
            run = store.latest_run(connection, incident_id)
            step = store.next_step(connection, incident_id)
        if run is None:
            return None
        return {
            "policy": run.policy.name,
            "title": run.policy.title,
            "state": run.state.value,
            "generation": run.generation,
            "level": run.called.get("level"),
            "levels": len(run.policy.levels),
            "round": run.called.get("round"),
            "rounds": run.policy.repeats + 1,
            "who": list(run.called.get("who", [])),
            "started_ms": run.started_ms,
            "ended_ms": run.ended_ms,
            "next_step_ms": step.step.due_ms if step else None,
        }


def _called(text: str, rung: Rung, action: Action) -> dict[str, JsonValue]:
    return {
        "level": action.level + 1,
        "round": action.round + 1,
        "words": text,
        "who": [person.name for person in rung.people],
        "members": [person.slack for person in rung.people if person.slack],
    }


def _exhausted(run: Run, due: DueStep, data: dict[str, JsonValue]) -> Record:
    rung = due.step.number - due.step.empty
    told = "nobody acknowledged" if rung else "nobody is on call at any level"
    text = f"ESCALATION EXHAUSTED: {told}; {run.policy.title} has no further step"
    data |= {"exhausted": True, "targets": targets_to_json(run.policy.fallback)}
    return Record(kind=EventKind.ESCALATED, text=text, data=data)
