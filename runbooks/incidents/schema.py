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
    Text,
)

METADATA = MetaData()

EVENTS = Table(
    "incident_events",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    # With the id the primary key: two writers can't both append event n.
    Column("seq", Integer, primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(32), nullable=False),
    Column("notifier", String(32), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("action", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger, nullable=True),
    Column("sent_ms", BigInteger, nullable=True),
    Column("reference", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Index("outbox_by_state", "state", "due_ms"),
    Index("outbox_by_incident", "incident_id", "id"),
    sqlite_autoincrement=True,
)

DECISIONS = Table(
    "finding_decisions",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("finding_id", String(300), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("incident_id", String(32), nullable=True),
    Column("finding", JSON, nullable=False),
    sqlite_autoincrement=True,
)

INTERACTIONS = Table(
    "slack_interactions",
    METADATA,
    # Slack repeats what it thinks was not acknowledged; the same press has the same key.
    Column("key", String(200), primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("action_id", String(64), nullable=False),
    Column("incident_id", String(32), nullable=False),
    Column("user", String(80), nullable=False),
    Column("done", Boolean, nullable=False),
)
