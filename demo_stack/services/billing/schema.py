"""The ledger's tables: portable between SQLite and MariaDB."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

_NAME = String(120)
_ID = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER key counts up in SQLite

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("account", _NAME, nullable=False, unique=True),
    Column("plan", String(40), nullable=False),
    Column("period", Integer, nullable=False),
    Column("renews_ms", BigInteger, nullable=False, index=True),
    mysql_engine="InnoDB",
)

INVOICES = Table(
    "invoices",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("subscription", ForeignKey("subscriptions.id"), nullable=False),
    Column("account", _NAME, nullable=False, index=True),
    Column("period", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("claim", String(64), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    UniqueConstraint("subscription", "period", name="one_invoice_a_period"),
    CheckConstraint("amount_minor >= 0", name="nobody_is_paid_to_watch"),
    mysql_engine="InnoDB",
)

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("invoice", ForeignKey("invoices.id"), nullable=False, index=True),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    mysql_engine="InnoDB",
)

ENTRIES = Table(
    "entries",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("posting", String(120), nullable=False, index=True),
    Column("book", _NAME, nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    UniqueConstraint("posting", "book", name="a_posting_is_made_once"),
    mysql_engine="InnoDB",
)

PLAYING = Table(
    "playing",
    METADATA,
    Column("session", _NAME, primary_key=True),
    Column("region", String(40), nullable=False),
    Column("account", _NAME, nullable=False),
    Column("device", _NAME, nullable=False),
    Column("heard_ms", BigInteger, nullable=False, index=True),
    mysql_engine="InnoDB",
)

REQUESTS = Table(
    "requests",
    METADATA,
    Column("idempotency_key", String(120), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    mysql_engine="InnoDB",
)
