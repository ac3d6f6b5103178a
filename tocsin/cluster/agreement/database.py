"""Connections to the PostgreSQL in which nodes agree: nothing that one of them does lasts long."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import StorageError
from collectors.redaction import without_secrets
from runbooks.incidents.database import with_driver

# A process that was stopped amid a transaction must not keep the row from the others.
_OPTIONS = (
    "-c statement_timeout=2000 -c lock_timeout=1500 -c idle_in_transaction_session_timeout=2000 "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2"
)


def engine_at(url: str) -> Engine:
    """Return what connects to the database at ``url``."""
    return create_engine(
        with_driver(make_url(url)),
        pool_size=2,
        connect_args={
            "connect_timeout": 2,
            "tcp_user_timeout": 3_000,
            "options": _OPTIONS,
            "application_name": "tocsin-cluster",
        },
    )


def failed(error: SQLAlchemyError) -> StorageError:
    """Return what a failure of the database is told as."""
    reason = without_secrets(str(error).splitlines()[0])
    return StorageError(f"the database in which nodes agree failed: {reason}")
