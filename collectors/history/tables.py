"""What a table is, and how it is written for one server and for a cluster.

A table is described once. The embedded engine and a single server have it as it is; a cluster has
it on every shard with a replica's engine, under a name of its own, and a ``Distributed`` table with
the name that all statements use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from collectors.errors import ConfigError

ON_SHARD = "_local"
"""What the name of a cluster's table on a shard ends in."""
# How long a replica knows what was inserted: seven days, where newer servers have an hour.
_REMEMBERED_S = 604_800
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: With a dot in it, a part of a nested column.
        type: In the engine's words.
        rest: Codec or default.
    """

    name: str
    type: str
    rest: str = ""

    def text(self) -> str:
        """Return it as a line of a definition."""
        name = f"`{self.name}`" if "." in self.name else self.name
        return " ".join(filter(None, (name, self.type, self.rest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.

    Attributes:
        name: As statements have it.
        columns: In their order.
        engine: Of the family ``MergeTree``.
        keys: ``PARTITION BY``, ``PRIMARY KEY`` and ``ORDER BY``.
        shard_by: What says on which shard a row is; what is asked for together has the same.
        indexes: Beside the primary one.
        settings: Of the engine.
        remembers: Of how many insertions a table without replicas knows that it has them; none
            where a row that comes again takes the place of the one before.
        shared: Whether another program may have made it.
    """

    name: str
    columns: tuple[Column, ...]
    engine: str
    keys: str
    shard_by: str
    indexes: tuple[str, ...] = ()
    settings: str = ""
    remembers: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view that fills one table with what is inserted into another.

    Attributes:
        name: Its own.
        filled: The table that it fills.
        read: The table that it follows.
        select: What it takes, before ``FROM``.
        rest: Conditions and groups, after it.
    """

    name: str
    filled: str
    read: str
    select: str
    rest: str


Definition = Table | View


def plain_sql(one: Definition, database: str) -> str:
    """Return the statement that makes a table or a view on one server."""
    if isinstance(one, View):
        return _view(one, database)
    settings = _joined(one.settings, _remembering(one))
    return _table(one, f"{database}.{one.name}", f"{one.engine} {one.keys}", settings)


def cluster_sql(one: Definition, database: str, cluster: str) -> list[str]:
    """Return the statements that make a table or a view on every server of a cluster.

    The servers' macros ``{shard}`` and ``{replica}`` say which shard and which replica each is.
    """
    on = f" ON CLUSTER {cluster_name(cluster)}"
    if isinstance(one, View):
        return [_view(one, database, ON_SHARD, on)]
    local = one.name + ON_SHARD
    path = f"/clickhouse/tables/{{shard}}/{database}/{one.name}"
    engine = f"Replicated{one.engine}('{path}', '{{replica}}') {one.keys}"
    window = f"replicated_deduplication_window_seconds = {_REMEMBERED_S}" if one.remembers else ""
    share = f"Distributed('{cluster}', '{database}', '{local}', {one.shard_by})"
    whole = (
        f"CREATE TABLE IF NOT EXISTS {database}.{one.name}{on}\n"
        f"AS {database}.{local}\nENGINE = {share}"
    )
    settings = _joined(one.settings, window)
    return [_table(one, f"{database}.{local}{on}", engine, settings), whole]


def schema_sql(every: Sequence[Definition], database: str, cluster: str = "") -> list[str]:
    """Return all statements that make a database with its tables, in order.

    Raises:
        ConfigError: A name that is none.
    """
    if not _NAME.fullmatch(database):
        raise ConfigError(f"the database '{database}' must be letters, digits and underscores")
    on = f" ON CLUSTER {cluster_name(cluster)}" if cluster else ""
    made = [f"CREATE DATABASE IF NOT EXISTS {database}{on}"]
    for one in every:
        made += cluster_sql(one, database, cluster) if cluster else [plain_sql(one, database)]
    return made


def cluster_name(text: str) -> str:
    """Return the name of a cluster as it stands in a statement.

    Raises:
        ConfigError: It is none.
    """
    if not _NAME.fullmatch(text) and not re.fullmatch(r"[\w-]+", text):
        raise ConfigError(
            f"the cluster '{text}' must be letters, digits, '-' and '_', or a macro such as "
            "{cluster}"
        )
    return f"'{text}'"


def _table(one: Table, name: str, engine: str, settings: str) -> str:
    parts = [column.text() for column in one.columns]
    parts += [f"INDEX {index}" for index in one.indexes]
    inside = ",\n    ".join(parts)
    ending = f"\nSETTINGS {settings}" if settings else ""
    return f"CREATE TABLE IF NOT EXISTS {name} (\n    {inside}\n) ENGINE = {engine}{ending}"


def _view(one: View, database: str, suffix: str = "", on: str = "") -> str:
    return (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.{one.name}{on}\n"
        f"TO {database}.{one.filled}{suffix}\n"
        f"AS {one.select}\nFROM {database}.{one.read}{suffix} {one.rest}"
    )


def _remembering(one: Table) -> str:
    return f"non_replicated_deduplication_window = {one.remembers}" if one.remembers else ""


def _joined(*settings: str) -> str:
    return ", ".join(filter(None, settings))
