"""Tables of post-mortems: facts of the machine, words of people, action items."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from runbooks.incidents.schema import METADATA, Words

POST_MORTEMS = Table(
    "post_mortems",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("moved_ms", BigInteger, nullable=False),
    Column("moved_by", Words(100), nullable=False),
    Column("generated_ms", BigInteger, nullable=False),
    Column("facts", JSON, nullable=False),
    # Apart from the facts: a list of post-mortems shows none.
    Column("charts", JSON, nullable=False),
    # Of the file as it was last written: another one was edited by hand.
    Column("file_hash", String(64), nullable=False, default=""),
)

POST_MORTEM_TEXTS = Table(
    "post_mortem_texts",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    Column("section", String(32), primary_key=True),
    # With the others the primary key: two writers can't both add revision n.
    Column("revision", Integer, primary_key=True),
    Column("text", Words, nullable=False),
    Column("author", Words(100), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
)

ACTION_ITEMS = Table(
    "action_items",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(32), nullable=False),
    Column("title", Words, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("owner", Words, nullable=False),
    Column("priority", String(4), nullable=False),
    Column("due", String(10), nullable=False),
    Column("ticket", Words, nullable=False),
    Column("done_when", Words, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Words(100), nullable=False),
    Column("done_ms", BigInteger, nullable=True),
    Index("action_items_by_incident", "incident_id", "id"),
    sqlite_autoincrement=True,
)
