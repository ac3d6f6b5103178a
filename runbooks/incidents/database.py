"""Opening the incident database: SQLite in WAL mode by default, any other by its URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Engine,
    ExceptionContext,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import close_to_strangers, make_private
from collectors.host.faults import Faults
from collectors.redaction import without_secrets
from runbooks.incidents.salvage import damage_of, refill, salvage
from runbooks.incidents.schema import INTERACTIONS, METADATA
from runbooks.incidents.sharing import MAKING_TABLES

DATABASE = "incident database"
_LOST = "nothing yet: findings wait in memory, and those that page are told without a record"


def open_database(url: str, faults: Faults | None = None) -> Engine:
    """Open the database at ``url`` and make what tables it lacks.

    A SQLite file that is damaged is set aside; what can be read of it goes into a new one.

    Args:
        url: SQLAlchemy URL, such as ``sqlite:///data/incidents.db`` or ``postgresql+psycopg://…``.
        faults: Hears of a database that fails.

    Raises:
        ConfigError: The URL can't be read.
        StorageError: The database can't be opened.
    """
    faults = faults or Faults()
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"incident database {without_secrets(url)!r} is no database URL; write "
            "sqlite:///path/to/incidents.db"
        ) from error
    file = sqlite_file(parsed)
    rows: dict[str, list[dict[str, object]]] = {}
    if file is not None and (reason := damage_of(file)):
        found, rows = salvage(file, reason)
        told = ", ".join(f"{name}: {count} rows" for name, count in found.rows.items())
        faults.failed(
            f"{DATABASE} (damage)",
            place=str(found.aside or file),
            reason=reason,
            lost=f"what could not be read of it; kept are {told}",
            lasting=True,
        )
    try:
        engine = _opened(with_driver(parsed), file)
    except (SQLAlchemyError, OSError) as error:
        raise StorageError(
            f"incident database {without_secrets(url)} can't be opened: "
            f"{without_secrets(str(error))}"
        ) from error
    refill(engine, rows)
    event.listen(engine, "handle_error", _teller(faults, parsed))
    return engine


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for one in memory or on a server."""
    name = url.database if url.get_backend_name() == "sqlite" else None
    return Path(name) if name and name != ":memory:" and not name.startswith("file:") else None


def probe(engine: Engine) -> None:
    """Write something and take it back: whether the database takes writes.

    Raises:
        StorageError: It does not.
    """
    key = f"probe-{uuid4()}"
    row = {"key": key, "time_ms": 0, "action_id": "", "incident_id": "", "user": ""}
    try:
        with engine.begin() as connection:
            connection.execute(insert(INTERACTIONS).values(**row, done=True))
            connection.execute(delete(INTERACTIONS).where(INTERACTIONS.c.key == key))
    except SQLAlchemyError as error:
        raise StorageError(f"the incident database takes no writes: {error}") from error


def _opened(parsed: URL, file: Path | None) -> Engine:
    if file is not None:
        if not file.parent.exists():
            make_private(file.parent)
        # SQLite gives its log the mode of the database.
        file.touch(mode=0o600)
        close_to_strangers(file)
    shared = parsed.get_backend_name() == "postgresql"
    engine = create_engine(parsed, **(_SHARED if shared else {}))
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        with engine.begin() as connection:
            if shared:  # two processes that start at once would make the same tables
                connection.execute(select(func.pg_advisory_xact_lock(MAKING_TABLES)))
            METADATA.create_all(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def with_driver(url: URL) -> URL:
    """Return ``url`` with the driver that we have for PostgreSQL.

    Raises:
        ConfigError: It is not installed.
    """
    if url.get_backend_name() != "postgresql":
        return url
    if find_spec("psycopg") is None:
        raise ConfigError(
            "the incident database is on PostgreSQL, whose driver is not installed; "
            "pip install 'tocsin[postgres]'"
        )
    return url.set(drivername="postgresql+psycopg")


_SHARED: dict[str, Any] = {
    "pool_pre_ping": True,
    "pool_size": 8,
    "connect_args": {
        "connect_timeout": 5,
        # A machine that is gone gives its locks back within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
        "-c tcp_keepalives_count=3 -c statement_timeout=30000",
        "application_name": "tocsin",
    },
}


def _teller(faults: Faults, url: URL) -> Callable[[ExceptionContext], None]:
    """Return what notes a database that fails; a conflict between writers is none."""

    def tell(context: ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, sqlite3.IntegrityError) or isinstance(
            context.sqlalchemy_exception, IntegrityError
        ):
            return
        place = without_secrets(url.render_as_string(hide_password=True))
        faults.failed(DATABASE, place=place, reason=without_secrets(str(error)), lost=_LOST)

    return tell


def _prepare_sqlite(connection: object, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    try:
        # FULL: a commit is on the disk, not only in the system's cache, before it returns.
        # A writer waits five seconds for another, the driver's default; ?timeout= changes that.
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()
