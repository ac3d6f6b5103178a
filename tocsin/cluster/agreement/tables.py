"""The tables that nodes share, in the incident database on PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table

METADATA = MetaData()

NODES = Table(
    "cluster_nodes",
    METADATA,
    Column("name", String, primary_key=True),
    Column("url", String, nullable=False),
    Column("version", String, nullable=False),
    Column("state", String, nullable=False),
    Column("session", String, nullable=False),
    Column("joined_ms", BigInteger, nullable=False),
    Column("heard_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

LEASES = Table(
    "cluster_leases",
    METADATA,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("session", String, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
)
