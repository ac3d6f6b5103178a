"""Runs in the incident database: a row a run and a row a step, changed together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.automation.running.codec import (
    plan_from_json,
    plan_to_json,
    progress_from_json,
    progress_to_json,
)
from runbooks.automation.state import LIVE, Run, RunState, StepState
from runbooks.incidents.schema import METADATA, Words

MAX_RUNS = 5_000
"""Runs that are kept; beyond it the oldest that have ended are forgotten."""

MAX_LISTED = 200
"""Runs that a list shows, the newest first."""

RUNS = Table(
    "runbook_runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("incident_id", String(32), nullable=False),
    Column("runbook", String(100), nullable=False),
    Column("requested_by", Words(200), nullable=False),
    Column("reason", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("text", Words, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=True),
    # Of two writers that have read the same version one finds it gone.
    Column("version", Integer, nullable=False),
    Column("plan", JSON, nullable=False),
    Index("runbook_runs_by_state", "state"),
    Index("runbook_runs_by_incident", "incident_id", "created_ms"),
)

STEPS = Table(
    "runbook_run_steps",
    METADATA,
    Column("run_id", String(32), primary_key=True),
    Column("step_id", String(160), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("progress", JSON, nullable=False),
)


class RunStore:
    """Reads and writes runs.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, run: Run) -> None:
        """Keep a new run.

        Raises:
            StorageError: The database failed.
        """
        with self._transaction() as connection:
            connection.execute(insert(RUNS).values(**_row(run)))
            self._write_steps(connection, run)
            _forget(connection)

    def save(self, run: Run) -> Run:
        """Keep what became of a run; returns it with its new version.

        Raises:
            ConflictError: Somebody else has changed it since it was read.
            StorageError: The database failed.
        """
        changed = replace(run, version=run.version + 1)
        with self._transaction() as connection:
            mine = update(RUNS).where(RUNS.c.id == run.id, RUNS.c.version == run.version)
            if connection.execute(mine.values(**_row(changed))).rowcount != 1:
                raise ConflictError(f"{run.id} was changed by somebody else meanwhile")
            self._write_steps(connection, changed)
        return changed

    def run(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFoundError: There is none of this id.
            StorageError: The database failed.
        """
        with self._transaction() as connection:
            found = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).mappings().first()
            if found is None:
                raise NotFoundError(f"there is no run {run_id[:50]!r}; see /api/v2/runbook-runs")
            return self._whole(connection, found)

    def live(self) -> list[str]:
        """Return the ids of the runs in which something is still to be done, oldest first."""
        wanted = select(RUNS.c.id).where(RUNS.c.state.in_([state.value for state in LIVE]))
        with self._transaction() as connection:
            return [*connection.execute(wanted.order_by(RUNS.c.created_ms, RUNS.c.id)).scalars()]

    def running(self) -> list[str]:
        """Return the ids of the runs that have a step which is running."""
        wanted = select(STEPS.c.run_id).where(STEPS.c.state == StepState.RUNNING.value).distinct()
        with self._transaction() as connection:
            return [*connection.execute(wanted).scalars()]

    def latest(self, incident_id: str = "") -> list[Run]:
        """Return the newest runs first: all, or those of one incident."""
        wanted = select(RUNS).order_by(RUNS.c.created_ms.desc(), RUNS.c.id).limit(MAX_LISTED)
        if incident_id:
            wanted = wanted.where(RUNS.c.incident_id == incident_id)
        with self._transaction() as connection:
            found = connection.execute(wanted).mappings().all()
            return [self._whole(connection, row) for row in found]

    def _whole(self, connection: Connection, row: RowMapping) -> Run:
        wanted = select(STEPS.c.progress).where(STEPS.c.run_id == row["id"])
        steps = [progress_from_json(one) for one in connection.execute(wanted).scalars()]
        return Run(
            id=row["id"],
            incident_id=row["incident_id"],
            plan=plan_from_json(row["plan"]),
            requested_by=row["requested_by"],
            reason=row["reason"],
            state=RunState(row["state"]),
            text=row["text"],
            created_ms=row["created_ms"],
            ended_ms=row["ended_ms"],
            progress={one.id: one for one in steps},
            version=row["version"],
        )

    @staticmethod
    def _write_steps(connection: Connection, run: Run) -> None:
        connection.execute(delete(STEPS).where(STEPS.c.run_id == run.id))
        rows = [
            {
                "run_id": run.id,
                "step_id": one.id,
                "state": one.state.value,
                "attempt": one.attempt,
                "owner": one.owner,
                "since_ms": one.since_ms,
                "progress": progress_to_json(one),
            }
            for one in run.progress.values()
        ]
        if rows:
            connection.execute(insert(STEPS), rows)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "incident_id": run.incident_id,
        "runbook": run.plan.runbook,
        "requested_by": run.requested_by,
        "reason": run.reason,
        "state": run.state.value,
        "text": run.text,
        "created_ms": run.created_ms,
        "ended_ms": run.ended_ms,
        "version": run.version,
        "plan": plan_to_json(run.plan),
    }


def _forget(connection: Connection) -> None:
    count = connection.execute(select(func.count()).select_from(RUNS)).scalar_one()
    if count <= MAX_RUNS:
        return
    ended = select(RUNS.c.id).where(RUNS.c.ended_ms.is_not(None)).order_by(RUNS.c.ended_ms)
    old = [*connection.execute(ended.limit(count - MAX_RUNS)).scalars()]
    connection.execute(delete(STEPS).where(STEPS.c.run_id.in_(old)))
    connection.execute(delete(RUNS).where(RUNS.c.id.in_(old)))
