"""All silences: kept in the incident database, read from memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from uuid import uuid4

import structlog
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Engine,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from collectors.clock import Clock
from collectors.errors import ConflictError, InputError, NotFoundError, StorageError
from runbooks.alerts.silence import (
    Silence,
    SilenceState,
    checked,
    expired,
    may_become,
    silence_from_json,
    silence_to_json,
)
from runbooks.incidents.schema import METADATA

SILENCES = Table(
    "silences",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("ends_ms", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
)

MAX_SILENCES = 2_000
"""Silences that are not over; each finding is compared with each."""

KEPT_MS = 120 * 3_600_000
"""Alertmanager's retention: for so long one that is over can be read."""

REFRESH_MS = 5_000
_log = structlog.get_logger(__name__)


class Silences:
    """May be used by several threads; another process that shares the database is heard of soon.

    Args:
        engine: The incident database.
        clock: The present.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Silence] = {}
        self._read_ms = clock.now_ms()
        with self._lock:
            self._read()

    def all(self) -> list[Silence]:
        """Return every silence that is kept, those that end last first."""
        return sorted(self._known.values(), key=lambda s: (-s.ends_ms, s.id))

    def active(self, at_ms: int | None = None) -> list[Silence]:
        """Return those that hold now, or at a moment, epoch milliseconds."""
        at_ms = self._clock.now_ms() if at_ms is None else at_ms
        return [s for s in self._known.values() if s.state(at_ms) is SilenceState.ACTIVE]

    def is_active(self, silence_id: str) -> bool:
        """Whether one holds now."""
        found = self._known.get(silence_id)
        return found is not None and found.state(self._clock.now_ms()) is SilenceState.ACTIVE

    def one(self, silence_id: str) -> Silence:
        """Return one silence; raise :class:`NotFoundError` if there is none."""
        found = self._known.get(silence_id)
        if found is None:
            raise NotFoundError(
                f"there is no silence {silence_id[:64]!r}; see `tocsin silence list`"
            )
        return found

    def put(self, wanted: Silence) -> Silence:
        """Keep a silence, new or changed; without an id it is new.

        Returns:
            As it is kept: with another id where the change makes another one of it.

        Raises:
            InputError: It is not allowed, or there are too many.
            NotFoundError: It has an id that nobody knows.
            StorageError: The database failed; nothing has changed.
        """
        with self._lock:
            now_ms = self._clock.now_ms()
            wanted = replace(checked(wanted, now_ms), updated_ms=now_ms)
            before = self.one(wanted.id) if wanted.id else None
            if before is not None and may_become(before, wanted, now_ms):
                return self._write(wanted, before=before)
            running = sum(s.state(now_ms) is not SilenceState.EXPIRED for s in self._known.values())
            if running >= MAX_SILENCES:
                raise InputError(
                    f"there are {running} silences; at most {MAX_SILENCES}, expire some"
                )
            if before is not None and before.state(now_ms) is not SilenceState.EXPIRED:
                self._write(expired(before, wanted.author, now_ms), before=before)
            starts_ms = max(wanted.starts_ms, now_ms)
            return self._write(replace(wanted, id=str(uuid4()), starts_ms=starts_ms), before=None)

    def extend(self, silence_id: str, ends_ms: int) -> Silence:
        """Have a silence that is not over end at another time.

        Raises:
            ConflictError: It is over; make a new one.
        """
        found = self.one(silence_id)
        if found.state(self._clock.now_ms()) is SilenceState.EXPIRED:
            raise ConflictError(f"silence {found.id} is over; make a new one")
        return self.put(replace(found, ends_ms=ends_ms))

    def expire(self, silence_id: str, by: str) -> Silence:
        """End a silence now.

        Raises:
            NotFoundError: There is no such silence.
            ConflictError: It is over already.
            StorageError: The database failed; nothing has changed.
        """
        with self._lock:
            before = self.one(silence_id)
            return self._write(expired(before, by, self._clock.now_ms()), before=before)

    def refresh(self, now_ms: int) -> None:
        """Read what another process may have changed, and forget what was over long ago."""
        if abs(now_ms - self._read_ms) < REFRESH_MS:
            return
        with self._lock:
            self._read_ms = now_ms
            old = SILENCES.c.ends_ms < now_ms - KEPT_MS
            if any(s.ends_ms < now_ms - KEPT_MS for s in self._known.values()):
                with self._engine.begin() as connection:
                    connection.execute(delete(SILENCES).where(old))
            self._read()

    def _write(self, silence: Silence, *, before: Silence | None) -> Silence:
        row = {"id": silence.id, "ends_ms": silence.ends_ms, "data": silence_to_json(silence)}
        changed = update(SILENCES).where(SILENCES.c.id == silence.id)
        statement = insert(SILENCES) if before is None else changed
        try:
            with self._engine.begin() as connection:
                connection.execute(statement.values(**row))
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error
        self._known = {**self._known, silence.id: silence}
        return silence

    def _read(self) -> None:
        with self._engine.connect() as connection:
            rows = connection.execute(select(SILENCES)).all()
        known: dict[str, Silence] = {}
        for silence_id, ends_ms, data in rows:
            try:
                known[silence_id] = silence_from_json(silence_id, ends_ms, data)
            except (KeyError, TypeError, ValueError, InputError) as error:
                # What is not known silences nothing: ringing once too often is the safe side.
                _log.warning("silence not read", silence=silence_id, reason=str(error)[:200])
        self._known = known
