"""Finds the tables of history as they are, makes those that lack, says where their rows are.

Tables that an operator made (on a cluster, by ``tocsin history schema``) are used as they are.
Where one of ours is ``Distributed`` nothing is made: a table without replicas among others would
keep its rows on one server, and nobody would notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.errors import ConfigError
from collectors.history.tables import Definition, Table, View, cluster_name, plain_sql

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Returns the columns that a statement selects; none when no row is selected."""

# What a Distributed table says of itself: cluster, database and table of the shards.
_DISTRIBUTED = re.compile(
    r"Distributed\('?(?P<cluster>[^',]+)'?, '?(?P<db>\w*)'?, '?(?P<table>\w+)"
)
_WORD_TYPE = re.compile(r"LowCardinality\(([^()]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the rows of a table are.

    Attributes:
        database: The database of ``table``.
        table: The table that has them, on each shard if there are any.
        cluster: Which servers have it; nothing for the one that is asked.
    """

    database: str
    table: str
    cluster: str = ""

    @property
    def on(self) -> str:
        """What a statement about the rows' own table says beside its name."""
        return f" ON CLUSTER {cluster_name(self.cluster)}" if self.cluster else ""

    def system(self, table: str) -> str:
        """Return the engine's own table, that of each shard where the rows are on several."""
        name = f"system.{table}"
        return f"cluster({cluster_name(self.cluster)}, {name})" if self.cluster else name


@dataclass(slots=True)
class Layout:
    """What is known of the tables of a database.

    Attributes:
        database: Its name.
        places: Where rows are, by table; a table that is not in it has them itself.
    """

    database: str
    places: dict[str, Place] = field(default_factory=dict)

    def place(self, table: str) -> Place:
        """Return where the rows of a table are."""
        return self.places.get(table) or Place(database=self.database, table=table)


def make_ready(
    layout: Layout, wanted: Sequence[Definition], ask: Ask, command: Callable[[str], object]
) -> None:
    """See that tables are there and have their columns; make those that lack on one server.

    Args:
        layout: Is told where the tables' rows are.
        wanted: The tables.
        ask: Runs a statement with an answer.
        command: Runs a statement without one.

    Raises:
        ConfigError: A table or a column lacks that is not ours to make; both are named.
    """
    found = _tables(layout.database, ask)
    cluster = next((place.cluster for place in found.values() if place and place.cluster), "")
    present = _columns(layout.database, ask) if found else {}
    for one in wanted:
        place = found.get(one.name)
        if isinstance(one, View):
            _make_view(one, layout, found, command, cluster)
        elif place is not None:
            layout.places[one.name] = place
            _check(one, one.name, layout.database, present[one.name])
            if place.cluster and place.table in present:
                _check(one, place.table, layout.database, present[place.table])
        elif cluster:
            raise _lacking(layout.database, one.name, cluster)
        else:
            command(plain_sql(one, layout.database))
            layout.places.pop(one.name, None)


def _make_view(
    one: View,
    layout: Layout,
    found: Mapping[str, Place | None],
    command: Callable[[str], object],
    cluster: str,
) -> None:
    """Make a view; on a cluster it is on the shards, of which the server asked may be none."""
    if one.name in found:
        return
    if not cluster:
        command(plain_sql(one, layout.database))
    elif layout.place(one.read).table in found:
        raise _lacking(layout.database, one.name, cluster)


def _lacking(database: str, name: str, cluster: str) -> ConfigError:
    return ConfigError(
        f"history: the table {database}.{name} is missing, and others are on the cluster "
        f"'{cluster}'; make it with what `tocsin history schema --cluster {cluster}` writes"
    )


def _tables(database: str, ask: Ask) -> dict[str, Place | None]:
    """Return what is in a database by name: where a table's rows are, None for a view."""
    rows = ask(
        "SELECT name, engine, engine_full FROM system.tables "  # noqa: S608 - an operator's name
        f"WHERE database = '{database}'"
    )
    found: dict[str, Place | None] = {}
    for name, engine, full in zip(*rows, strict=True) if rows else ():
        told = _DISTRIBUTED.match(full)
        if told is not None:
            found[name] = Place(
                database=told["db"] or database, table=told["table"], cluster=told["cluster"]
            )
        elif engine == "MaterializedView":
            found[name] = None
        else:
            found[name] = Place(database=database, table=name)
    return found


def _columns(database: str, ask: Ask) -> dict[str, dict[str, str]]:
    rows = ask(
        "SELECT table, name, type FROM system.columns "  # noqa: S608 - an operator's name
        f"WHERE database = '{database}'"
    )
    found: dict[str, dict[str, str]] = {}
    for table, name, kind in zip(*rows, strict=True) if rows else ():
        found.setdefault(table, {})[name] = kind
    return found


def _check(one: Table, name: str, database: str, present: Mapping[str, str]) -> None:
    for column in one.columns:
        kind = present.get(column.name)
        if kind is None:
            raise ConfigError(
                f"history: the table {database}.{name} has no column '{column.name}'; add it as "
                f"`{column.text()}`"
            )
        # Another program's types may differ where that makes no difference.
        if not one.shared and _plain(kind) != _plain(column.type):
            raise ConfigError(
                f"history: the column '{column.name}' of {database}.{name} is {kind}, not "
                f"{column.type}; make the table anew, or name another database in the address"
            )


def _plain(kind: str) -> str:
    """Return a type without what only says how it is kept."""
    return _WORD_TYPE.sub(r"\1", kind)
