"""A damaged SQLite database: what can be read goes into a new one, the old one is set aside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Engine, Table

from collectors.host.setting_aside import set_aside
from runbooks.incidents.schema import METADATA

_log = structlog.get_logger(__name__)
_BESIDE = ("-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What became of a damaged database.

    Attributes:
        aside: Where the damaged file is now; None if it could not be renamed.
        rows: How many rows were read, by table.
        reason: What was wrong.
    """

    aside: Path | None
    rows: dict[str, int]
    reason: str


def damage_of(path: Path) -> str:
    """Return what is wrong with a SQLite file, "" when it is sound, new or locked."""
    if not path.exists() or path.stat().st_size == 0:
        return ""
    try:
        with closing(_opened(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        # A lock or a full disk says nothing about the file.
        return str(error) if "malformed" in str(error) or "schema" in str(error) else ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == ["ok"] else "; ".join(found)[:500]


def read_rows(path: Path) -> dict[str, list[dict[str, object]]]:
    """Return the rows of every table of ours that can be read, from either end up to the damage."""
    rows: dict[str, list[dict[str, object]]] = {}
    for table in METADATA.sorted_tables:
        found: dict[int, dict[str, object]] = {}
        for order in ("", " ORDER BY rowid DESC"):
            with suppress(sqlite3.DatabaseError), closing(_opened(path)) as connection:
                for rowid, row in _read(connection, table, order):
                    if rowid in found:
                        break
                    found[rowid] = row
        rows[table.name] = [found[rowid] for rowid in sorted(found)]
    return rows


def salvage(path: Path, reason: str) -> tuple[Salvaged, dict[str, list[dict[str, object]]]]:
    """Read what is readable, set the file aside, and return both; the caller makes a new one."""
    rows = read_rows(path)
    aside = set_aside(path)
    for suffix in _BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            set_aside(beside)
    counts = {name: len(found) for name, found in rows.items()}
    _log.error("incident database damaged", reason=reason, rows=counts, aside=str(aside))
    return Salvaged(aside=aside, rows=counts, reason=reason), rows


def refill(engine: Engine, rows: dict[str, list[dict[str, object]]]) -> int:
    """Put rows into new tables; return how many did not fit any more."""
    refused = 0
    for table in METADATA.sorted_tables:
        for row in rows.get(table.name, []):
            try:
                with engine.begin() as connection:
                    connection.exec_driver_sql(*_inserted(table, row))
            except Exception as error:  # noqa: BLE001 - one bad row must not cost the others
                refused += 1
                _log.warning("row not salvaged", table=table.name, reason=str(error)[:200])
    return refused


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)


def _read(
    connection: sqlite3.Connection, table: Table, order: str
) -> Iterator[tuple[int, dict[str, object]]]:
    names: Sequence[str] = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    # NOT INDEXED: an index may be what is damaged.
    sql = f'SELECT rowid, {columns} FROM "{table.name}" NOT INDEXED{order}'  # noqa: S608 - our own names
    cursor = connection.execute(sql)
    while True:
        row = cursor.fetchone()
        if row is None:
            return
        yield int(row[0]), dict(zip(names, row[1:], strict=True))


def _inserted(table: Table, row: dict[str, object]) -> tuple[str, tuple[object, ...]]:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    sql = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our own names
    return sql, tuple(row.values())
