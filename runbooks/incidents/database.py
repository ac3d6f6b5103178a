"""Opening the incident database: SQLite in WAL mode by default, any other by its URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, ExceptionContext, create_engine, delete, event, insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from collectors.errors import ConfigError, StorageError
from collectors.host.disk import close_to_strangers, make_private
from collectors.host.faults import Faults
from collectors.redaction import without_secrets
from runbooks.incidents.salvage import damage_of, refill, salvage
from runbooks.incidents.schema import INTERACTIONS, METADATA

DATABASE = "incident database"
_LOST = "nothing yet: findings wait in memory, and those that page are told without a record"
_PROBE = "probe"


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
        engine = _opened(parsed, file)
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
    row = {"key": _PROBE, "time_ms": 0, "action_id": "", "incident_id": "", "user": ""}
    try:
        with engine.begin() as connection:
            connection.execute(delete(INTERACTIONS).where(INTERACTIONS.c.key == _PROBE))
            connection.execute(insert(INTERACTIONS).values(**row, done=True))
            connection.execute(delete(INTERACTIONS).where(INTERACTIONS.c.key == _PROBE))
    except SQLAlchemyError as error:
        raise StorageError(f"the incident database takes no writes: {error}") from error


def _opened(parsed: URL, file: Path | None) -> Engine:
    if file is not None:
        if not file.parent.exists():
            make_private(file.parent)
        # SQLite gives its log the mode of the database.
        file.touch(mode=0o600)
        close_to_strangers(file)
    engine = create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        METADATA.create_all(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


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
