"""Opening the incident database: SQLite in WAL mode by default, any other by its URL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from collectors.errors import ConfigError, StorageError
from runbooks.incidents.schema import METADATA


def open_database(url: str) -> Engine:
    """Open the database at ``url`` and make what tables it lacks.

    Args:
        url: SQLAlchemy URL, such as ``sqlite:///data/incidents.db`` or ``postgresql+psycopg://…``.

    Raises:
        ConfigError: The URL can't be read.
        StorageError: The database can't be opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"incident database {url!r} is no database URL; write sqlite:///path/to/incidents.db"
        ) from error
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = create_engine(parsed)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        if is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        METADATA.create_all(engine)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise StorageError(
            f"incident database {parsed.render_as_string()} can't be opened: {error}"
        ) from error
    return engine


def _prepare_sqlite(connection: object, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    try:
        # FULL: a commit is on the disk, not only in the system's cache, before it returns.
        # A writer waits five seconds for another, the driver's default; ?timeout= changes that.
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()
