"""Runs of escalations and their steps in the incident database.

A step is a row ``{incident, generation, step, due_ms, state}``. It is done in the transaction that
puts it on the incident's record and its messages into the outbox, and only while its row is due: a
process that is killed leaves all of that or nothing, and of two processes one comes too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from collectors.errors import ConflictError
from runbooks.escalation.course import LAPSE, Step
from runbooks.escalation.policy import Policy, policy_from_json, policy_to_json
from runbooks.incidents.events import JsonValue
from runbooks.incidents.schema import METADATA

RUNS = Table(
    "escalation_runs",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("policy", JSON, nullable=False),
    Column("rung", Boolean, nullable=False),
    Column("called", JSON, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=True),
    Index("escalation_runs_by_state", "state"),
)

STEPS = Table(
    "escalation_steps",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("due_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("empty", Integer, nullable=False),
    Column("done_ms", BigInteger, nullable=True),
    Index("escalation_steps_by_state", "state", "due_ms"),
)


class RunState(StrEnum):
    """``ACKNOWLEDGED``: stopped, and may lapse; ``STOPPED``: nobody has to be rung any more."""

    RUNNING = "running"
    ACKNOWLEDGED = "acknowledged"
    STOPPED = "stopped"
    EXHAUSTED = "exhausted"


class StepState(StrEnum):
    """What became of a step."""

    DUE = "due"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One escalation of an incident.

    Attributes:
        incident_id: Of what.
        generation: From 1; the highest counts.
        state: How it stands.
        policy: As it was when the run began.
        rung: Whether what began it has rung people by itself.
        called: Who was rung last: ``words``, ``who``, ``members`` (ids in Slack); level, round.
        started_ms: Epoch milliseconds.
        ended_ms: Epoch milliseconds; None while it runs.
    """

    incident_id: str
    generation: int
    state: RunState
    policy: Policy
    rung: bool
    called: Mapping[str, Any] = field(default_factory=dict)
    started_ms: int
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStep:
    """A step of a run that waits to be taken."""

    incident_id: str
    generation: int
    step: Step


def latest_run(connection: Connection, incident_id: str) -> Run | None:
    """Return an incident's run that counts; None if there never was one."""
    query = select(RUNS).where(RUNS.c.incident_id == incident_id)
    row = connection.execute(query.order_by(RUNS.c.generation.desc()).limit(1)).mappings().first()
    return None if row is None else _run(row)


def runs_in(connection: Connection, state: RunState) -> list[Run]:
    """Return the runs in a state, the oldest first."""
    query = select(RUNS).where(RUNS.c.state == state.value).order_by(RUNS.c.started_ms)
    return [_run(row) for row in connection.execute(query).mappings()]


def begin(
    connection: Connection, incident_id: str, policy: Policy, step: Step, *, rung: bool
) -> None:
    """Begin a run of the next generation; those before count no longer."""
    stop_steps(connection, incident_id)
    before = latest_run(connection, incident_id)
    generation = before.generation + 1 if before else 1
    connection.execute(
        insert(RUNS).values(
            incident_id=incident_id,
            generation=generation,
            state=RunState.RUNNING.value,
            policy=policy_to_json(policy),
            rung=rung,
            called={},
            started_ms=step.due_ms,
        )
    )
    if before is not None and before.ended_ms is None:
        end(connection, before, RunState.STOPPED, step.due_ms)
    put_step(connection, incident_id, generation, step)


def end(connection: Connection, run: Run, state: RunState, now_ms: int) -> None:
    """Note that a run has ended, and how; none of its steps is due any longer."""
    stop_steps(connection, run.incident_id)
    connection.execute(update(RUNS).where(_same(run)).values(state=state.value, ended_ms=now_ms))


def call(connection: Connection, run: Run, called: Mapping[str, JsonValue]) -> None:
    """Note who was rung last."""
    connection.execute(update(RUNS).where(_same(run)).values(called=dict(called)))


def put_step(connection: Connection, incident_id: str, generation: int, step: Step) -> None:
    """Let a step be due."""
    connection.execute(
        insert(STEPS).values(
            incident_id=incident_id,
            generation=generation,
            step=step.number,
            due_ms=step.due_ms,
            state=StepState.DUE.value,
            empty=step.empty,
        )
    )


def put_off_lapse(connection: Connection, run: Run, due_ms: int) -> None:
    """Let an acknowledgement lapse later: somebody does something."""
    step = Step(number=LAPSE, due_ms=due_ms)
    lapse = DueStep(incident_id=run.incident_id, generation=run.generation, step=step)
    put_off(connection, lapse, due_ms)


def put_off(connection: Connection, due: DueStep, due_ms: int) -> None:
    """Let a step be due later."""
    mine = (
        STEPS.c.incident_id == due.incident_id,
        STEPS.c.generation == due.generation,
        STEPS.c.step == due.step.number,
        STEPS.c.state == StepState.DUE.value,
    )
    connection.execute(update(STEPS).where(*mine).values(due_ms=due_ms))


def take(
    connection: Connection, incident_id: str, generation: int, number: int, now_ms: int
) -> None:
    """Note that a step is done.

    Raises:
        ConflictError: It is not due any longer: done by another, stopped, or of an older run.
    """
    mine = (
        STEPS.c.incident_id == incident_id,
        STEPS.c.generation == generation,
        STEPS.c.step == number,
        STEPS.c.state == StepState.DUE.value,
    )
    newest = select(func.max(RUNS.c.generation)).where(RUNS.c.incident_id == incident_id)
    done = update(STEPS).where(*mine).values(state=StepState.DONE.value, done_ms=now_ms)
    taken = connection.execute(done).rowcount
    if taken != 1 or connection.scalar(newest) != generation:
        raise ConflictError(f"{incident_id}: step {number} of run {generation} is not due any more")


def due_steps(connection: Connection, now_ms: int) -> list[DueStep]:
    """Return the steps that are due, the longest first."""
    return [
        _due(row)
        for row in connection.execute(
            select(STEPS)
            .where(STEPS.c.state == StepState.DUE.value, STEPS.c.due_ms <= now_ms)
            .order_by(STEPS.c.due_ms, STEPS.c.incident_id)
        ).mappings()
    ]


def next_step(connection: Connection, incident_id: str) -> DueStep | None:
    """Return the step of an incident that is due next, now or later; None if there is none."""
    due = STEPS.c.state == StepState.DUE.value
    query = select(STEPS).where(STEPS.c.incident_id == incident_id, due)
    row = connection.execute(query.order_by(STEPS.c.due_ms).limit(1)).mappings().first()
    return None if row is None else _due(row)


def stop_steps(connection: Connection, incident_id: str) -> None:
    """Let no step of an incident be due any longer."""
    due = STEPS.c.incident_id == incident_id, STEPS.c.state == StepState.DUE.value
    connection.execute(update(STEPS).where(*due).values(state=StepState.STOPPED.value))


def _same(run: Run) -> Any:
    return (RUNS.c.incident_id == run.incident_id) & (RUNS.c.generation == run.generation)


def _run(row: RowMapping) -> Run:
    return Run(
        **{
            **row,
            "state": RunState(row["state"]),
            "policy": policy_from_json(row["policy"]),
        }
    )


def _due(row: RowMapping) -> DueStep:
    step = Step(number=row["step"], due_ms=row["due_ms"], empty=row["empty"])
    return DueStep(incident_id=row["incident_id"], generation=row["generation"], step=step)
