"""Tables of the status page."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table, Text

from runbooks.incidents.schema import METADATA, Words

NOTICES = Table(
    "status_notices",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("title", Words, nullable=False),
    Column("components", JSON, nullable=False),
    Column("incident_id", String(32), nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=True),
    Column("ended_ms", BigInteger, nullable=True),
    sqlite_autoincrement=True,
)

UPDATES = Table(
    "status_updates",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("notice_id", Integer, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("progress", String(16), nullable=False),
    Column("text", Words, nullable=False),
    Column("author", Words(100), nullable=False),
    Index("status_updates_by_notice", "notice_id", "id"),
    sqlite_autoincrement=True,
)

OVERRIDES = Table(
    "status_overrides",
    METADATA,
    Column("component", String(100), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("author", Words(100), nullable=False),
    Column("text", Words, nullable=False),
)

DAYS = Table(
    "status_days",
    METADATA,
    Column("component", String(100), primary_key=True),
    Column("day", String(10), primary_key=True),
    # How long it was how: milliseconds by state.
    Column("spent_ms", JSON, nullable=False),
)

OBSERVED = Table(
    "status_observed",
    METADATA,
    Column("component", String(100), primary_key=True),
    # Of two servers on one database only the one that moves this counts the time.
    Column("time_ms", BigInteger, nullable=False),
)

SUBSCRIBERS = Table(
    "status_subscribers",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Words(100), nullable=False),
    # Who gets mail is asked first: nothing is sent to whoever has not said yes.
    Column("confirmed_ms", BigInteger, nullable=True),
    Column("failures", Integer, nullable=False),
    Column("last_error", Words, nullable=False),
    # The newest update that it was told of, and when it is told again after a failure.
    Column("told", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
