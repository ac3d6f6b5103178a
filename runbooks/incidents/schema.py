"""Tables of the incident database."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

METADATA = MetaData()


class Words(TypeDecorator[str]):
    """Text of strangers, as every database holds it: no longer than the column, without NUL.

    SQLite takes what PostgreSQL refuses; a page must not depend on that.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self._longest = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what can be written."""
        del dialect
        if value is None:
            return None
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")[: self._longest]


EVENTS = Table(
    "incident_events",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    # With the id the primary key: two writers can't both append event n.
    Column("seq", Integer, primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("actor", Words(100), nullable=False),
    Column("text", Words, nullable=False),
    Column("data", JSON, nullable=False),
)

CHANGES = Table(
    "incident_changes",
    METADATA,
    # One row for each append: by it other processes on the same database see what is new.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(32), nullable=False),
    Column("seq", Integer, nullable=False),
    sqlite_autoincrement=True,
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(32), nullable=False),
    Column("notifier", String(32), nullable=False),
    Column("channel", Words, nullable=False),
    Column("action", String(16), nullable=False),
    Column("text", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger, nullable=True),
    Column("sent_ms", BigInteger, nullable=True),
    Column("reference", Words, nullable=False, default=""),
    Column("reason", Words, nullable=False, default=""),
    Index("outbox_by_state", "state", "due_ms"),
    Index("outbox_by_incident", "incident_id", "id"),
    sqlite_autoincrement=True,
)

DECISIONS = Table(
    "finding_decisions",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("finding_id", Words(300), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("reason", Words, nullable=False),
    Column("incident_id", String(32), nullable=True),
    Column("finding", JSON, nullable=False),
    sqlite_autoincrement=True,
)

INTERACTIONS = Table(
    "slack_interactions",
    METADATA,
    # Slack repeats what it thinks was not acknowledged; the same press has the same key.
    Column("key", Words(200), primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("action_id", Words(64), nullable=False),
    Column("incident_id", Words(32), nullable=False),
    Column("user", Words(80), nullable=False),
    Column("done", Boolean, nullable=False),
)
