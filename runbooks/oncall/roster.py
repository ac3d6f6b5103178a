"""Who is on call, with the overrides that people have asked for at run time.

An override of a file counts before all layers; one that was asked for counts before those, and the
latest of several first. They are kept in the database and seen by every process within seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import ConflictError, InputError, NotFoundError, StorageError
from runbooks.incidents.schema import METADATA
from runbooks.oncall.duty import Duty
from runbooks.oncall.local_time import DAY_MS
from runbooks.oncall.schedule import Override

OVERRIDES = Table(
    "oncall_overrides",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("schedule", String(100), nullable=False),
    Column("person", String(100), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("cancelled_by", String(200), nullable=False, default=""),
    Column("cancelled_ms", BigInteger, nullable=True),
    Index("oncall_overrides_by_end", "end_ms"),
    sqlite_autoincrement=True,
)

MAX_OVERRIDES = 500
"""Overrides that were asked for and are not over."""

MAX_OVERRIDE_DAYS = 400
REFRESH_EVERY_MS = 5_000
_SHOWN_PAST_MS = 14 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An override that somebody asked for. Times are epoch milliseconds; the end is excluded."""

    id: int
    schedule: str
    person: str
    start_ms: int
    end_ms: int
    reason: str
    made_by: str
    made_ms: int


class Roster:
    """The duty of the configuration with the overrides of the database on top of it.

    Args:
        engine: The incident database.
        duty: What the documents say.
    """

    def __init__(self, engine: Engine, duty: Duty) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._written = duty
        self._asked: tuple[Asked, ...] = ()
        self._read_ms: int | None = None
        self.duty = duty

    def use(self, duty: Duty) -> None:
        """Go on with other documents."""
        with self._lock:
            self._written = duty
            self.duty = _with(duty, self._asked)

    def tick(self, now_ms: int) -> None:
        """Read again what others may have asked for."""
        if self._read_ms is None or not 0 <= now_ms - self._read_ms < REFRESH_EVERY_MS:
            self._read_ms = now_ms
            self._read(now_ms)

    def asked(self) -> tuple[Asked, ...]:
        """Return the overrides that were asked for, the oldest first."""
        return self._asked

    def add(
        self,
        schedule: str,
        person: str,
        start_ms: int,
        end_ms: int,
        *,
        reason: str,
        by: str,
        now_ms: int,
    ) -> Asked:
        """Let ``person`` be on call by a schedule from one time to another.

        Raises:
            NotFoundError: There is no such schedule or person.
            InputError: The time is empty, over, or too long.
            ConflictError: There are too many already.
            StorageError: It can't be kept.
        """
        self._check(schedule, person, start_ms, end_ms, now_ms)
        values = {
            "schedule": schedule,
            "person": person,
            "start_ms": start_ms,
            "end_ms": end_ms,
            "reason": reason,
            "made_by": by,
            "made_ms": now_ms,
        }
        try:
            with self._engine.begin() as connection:
                if _living(connection, now_ms) >= MAX_OVERRIDES:
                    raise ConflictError(f"{MAX_OVERRIDES} overrides are not over; cancel some")
                made = connection.execute(insert(OVERRIDES).values(**values)).inserted_primary_key
        except SQLAlchemyError as error:
            raise StorageError(f"the override can't be kept: {error}") from error
        self._read(now_ms)
        return Asked(id=int(made[0]) if made else 0, **values)  # type: ignore[arg-type]  # as above

    def cancel(self, override_id: int, *, by: str, now_ms: int) -> None:
        """Take an override back; the record of it stays.

        Raises:
            NotFoundError: There is none that holds.
            StorageError: It can't be kept.
        """
        mine = OVERRIDES.c.id == override_id, OVERRIDES.c.cancelled_ms.is_(None)
        change = update(OVERRIDES).where(*mine).values(cancelled_by=by, cancelled_ms=now_ms)
        try:
            with self._engine.begin() as connection:
                cancelled = connection.execute(change).rowcount
        except SQLAlchemyError as error:
            raise StorageError(f"the override can't be cancelled: {error}") from error
        if not cancelled:
            raise NotFoundError(
                f"there is no override {override_id}; see `tocsin oncall overrides`"
            )
        self._read(now_ms)

    def _check(self, schedule: str, person: str, start_ms: int, end_ms: int, now_ms: int) -> None:
        if schedule not in self._written.schedules:
            known = ", ".join(sorted(self._written.schedules)) or "none"
            raise NotFoundError(f"no schedule is called {schedule[:80]!r}; there are: {known}")
        if person and person not in self._written.people:
            known = ", ".join(sorted(self._written.people)[:20]) or "none"
            raise NotFoundError(f"{person[:80]!r} is nobody of people.yaml; there are: {known}")
        if end_ms <= start_ms:
            raise InputError("an override must end after it begins")
        if end_ms <= now_ms:
            raise InputError("this override is over already; who was on call does not change")
        if end_ms - start_ms > MAX_OVERRIDE_DAYS * DAY_MS:
            raise InputError(f"an override lasts at most {MAX_OVERRIDE_DAYS} days")

    def _read(self, now_ms: int) -> None:
        query = (
            select(OVERRIDES)
            .where(OVERRIDES.c.cancelled_ms.is_(None), OVERRIDES.c.end_ms > now_ms - _SHOWN_PAST_MS)
            .order_by(OVERRIDES.c.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        asked = tuple(Asked(**{name: row[name] for name in Asked.__slots__}) for row in rows)
        with self._lock:
            if asked != self._asked:
                self._asked = asked
                self.duty = _with(self._written, asked)


def _living(connection: Connection, now_ms: int) -> int:
    holds = OVERRIDES.c.cancelled_ms.is_(None), OVERRIDES.c.end_ms > now_ms
    return connection.scalar(select(func.count()).select_from(OVERRIDES).where(*holds)) or 0


def _with(duty: Duty, asked: Sequence[Asked]) -> Duty:
    """Return ``duty`` with what was asked for on top; of several the last counts."""
    schedules = dict(duty.schedules)
    for one in asked:
        if (schedule := schedules.get(one.schedule)) is not None:
            more = Override(
                person=one.person, start_ms=one.start_ms, end_ms=one.end_ms, reason=one.reason
            )
            schedules[one.schedule] = replace(schedule, overrides=(*schedule.overrides, more))
    return Duty(schedules=schedules, people=duty.people)
