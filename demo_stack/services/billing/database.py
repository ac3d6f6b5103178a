"""Transactions: one writer at a time in SQLite, row locks in MariaDB; conflicts are tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.billing.schema import METADATA

Result = TypeVar("Result")

MEMORY = "sqlite://"
BUSY_MS = 5_000
TRIES = 4
CONFLICTS = frozenset({1205, 1213})
"""MariaDB: lock wait timeout, deadlock."""


class Database:
    """Runs work in transactions.

    Args:
        url: SQLAlchemy's: ``sqlite://`` (in memory, of one thread), ``sqlite:///path``, or
            ``mysql+pymysql://user@host/name`` for MariaDB.

    Raises:
        ServiceError: There is no such kind of database, or it is not there.
    """

    def __init__(self, url: str = MEMORY) -> None:
        try:
            self._engine = _engine(url)
            _make_tables(self._engine)
        except (ArgumentError, ImportError, SQLAlchemyError) as error:
            text = f"the ledger's database can't be used: {error}; check billing's URL"
            raise ServiceError(text[:400], status=503) from error
        self.system = system_of(url)
        self.in_memory = self._engine.dialect.name == "sqlite" and url == MEMORY

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run work that changes things: all of it or nothing.

        Raises:
            ServiceError: The database does not answer, or is in conflict again and again.
            IntegrityError: What was written breaks a rule of the tables.
        """
        return self._run(work, reading=False)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run work that changes nothing.

        Raises:
            ServiceError: As :meth:`write`.
        """
        return self._run(work, reading=True)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _run(self, work: Callable[[Connection], Result], *, reading: bool) -> Result:
        last: DBAPIError | None = None
        for _ in range(TRIES):
            try:
                with self._engine.connect() as plain:
                    connection = plain.execution_options(reading=reading)
                    with connection.begin():
                        return work(connection)
            except IntegrityError:
                raise  # a rule of the books was broken: whoever did that knows what it means
            except DBAPIError as error:
                if not _is_conflict(error):
                    raise _unavailable(error) from error
                last = error
        raise _unavailable(last) from last


def system_of(url: str) -> str:
    """Return ``db.system.name`` of a database, whether it is there or not.

    >>> system_of("sqlite:///ledger.sqlite"), system_of("mysql+pymysql://root@127.0.0.1/billing")
    ('sqlite', 'mariadb')
    """
    name = url.partition(":")[0].partition("+")[0]
    return "mariadb" if name in {"mysql", "mariadb"} else name


def _make_tables(engine: Engine) -> None:
    """Make the tables that are missing; regions that start together may do so at the same time."""
    for left in reversed(range(TRIES)):
        try:
            with engine.begin() as connection:
                METADATA.create_all(connection)
        except DBAPIError:
            if not left:
                raise
        else:
            return


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, isolation_level="REPEATABLE READ")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
    if url == MEMORY:
        options["poolclass"] = StaticPool
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own idea of transactions begins too late
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock before it reads: what it read is still true when it writes.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _is_conflict(error: DBAPIError) -> bool:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code in CONFLICTS or "database is locked" in str(error.orig)


def _unavailable(error: DBAPIError | None) -> ServiceError:
    why = str(error.orig if error else "")[:200]
    return ServiceError(
        f"the ledger's database does not answer: {why}",
        status=503,
        error_type=type(error).__name__,
    )
