"""Several processes on one database: who may write now, and who is on duty.

On PostgreSQL a process that writes holds an advisory lock, so that each decides on what the others
have left; another one is held by the process *on duty*, the only one that delivers pages and does
what time asks for. Both are the session's: a process that dies has given them back, and another is
on duty within a second. SQLite is one process's own; there nothing is locked and it is on duty.

Where nodes hold leases, the duty goes with one of them, and no lock decides: a process that is
stopped would keep a lock for as long as its session lives, but its lease runs out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import StorageError

# Any numbers that no other program on the same database uses: "tocsin" in ASCII, and one more.
_WRITING, _DUTY, MAKING_TABLES = 0x746F6373696E01, 0x746F6373696E02, 0x746F6373696E03
_LOOK_AGAIN_S = 0.5
MAX_LOCK_WAIT_MS = 10_000
"""A process that holds the lock for longer hangs: the database counts as failing."""


class Tenure(Protocol):
    """A lease with which the duty goes; asking never waits."""

    def holds(self) -> bool:
        """Whether this process has it now."""
        ...


class Sharing:
    """The locks of one process; may be used by several threads.

    Args:
        engine: The incident database.

    Attributes:
        tenure: The lease that decides who is on duty; None: whoever takes the lock is.
    """

    tenure: Tenure | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._duty: Connection | None = None
        self._looked_s = 0.0
        self.is_shared = engine.dialect.name == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other processes from writing within.

        Raises:
            StorageError: The database failed, or another process holds the lock for too long.
        """
        if not self.is_shared:
            yield
            return
        try:
            connection = self._session()
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error
        try:
            try:
                connection.execute(text(f"SET lock_timeout = {MAX_LOCK_WAIT_MS}"))
                connection.execute(select(func.pg_advisory_lock(_WRITING)))
            except SQLAlchemyError as error:
                raise StorageError(f"the incident database failed: {error}") from error
            yield
        finally:
            self._give_back(connection)

    def on_duty(self) -> bool:
        """Whether this process delivers and keeps time; it takes the duty where nobody has it."""
        if not self.is_shared:
            return True
        if self.tenure is not None:
            return self.tenure.holds()
        with self._lock:
            now_s = time.monotonic()
            if now_s - self._looked_s < _LOOK_AGAIN_S:
                return self._duty is not None
            self._looked_s = now_s
            self._duty = self._still() or self._taken()
            return self._duty is not None

    def close(self) -> None:
        """Give the duty back."""
        with self._lock:
            if self._duty is not None:
                # Said, and not only left to the database to find out: the other takes it at once.
                with suppress(SQLAlchemyError):
                    self._duty.execute(select(func.pg_advisory_unlock(_DUTY)))
                _discard(self._duty)
            self._duty = None
            self._looked_s = 0.0

    def _session(self) -> Connection:
        connection = self._engine.connect()
        return connection.execution_options(isolation_level="AUTOCOMMIT")

    def _still(self) -> Connection | None:
        """Return the session that holds the duty if the database still knows it."""
        connection = self._duty
        if connection is None:
            return None
        try:
            connection.execute(select(1))
        except SQLAlchemyError:
            _discard(connection)
            return None
        return connection

    def _taken(self) -> Connection | None:
        try:
            connection = self._session()
        except SQLAlchemyError:
            return None
        try:
            if connection.scalar(select(func.pg_try_advisory_lock(_DUTY))):
                return connection
        except SQLAlchemyError:
            _discard(connection)
            return None
        connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        try:
            connection.execute(select(func.pg_advisory_unlock(_WRITING)))
            connection.execute(text("RESET lock_timeout"))
            connection.close()
        except SQLAlchemyError:
            _discard(connection)


def _discard(connection: Connection) -> None:
    """Close a session for good: back in the pool it would keep its locks."""
    with suppress(SQLAlchemyError):
        connection.invalidate()
    with suppress(SQLAlchemyError):
        connection.close()
