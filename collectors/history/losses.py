"""What an embedded history has lost: parts that can't be read, tables without definition."""

from __future__ import annotations

import re
from pathlib import Path

from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine, quoted

_PART = re.compile(r"[\w-]+_\d+_\d+_\d+(?:_\d+)?")


def losses(engine: HistoryEngine, directory: Path) -> list[str]:
    """Return a sentence for each thing that is there and can't be read; nothing is changed.

    Args:
        engine: The opened history, its tables made.
        directory: Of the embedded engine.
    """
    found = [
        f"part {part} of {table} is damaged and set aside in the table's folder 'detached'"
        for table, part in _set_aside(engine)
    ]
    return found + [
        f"'{path}' holds {len(parts_in(path))} parts of a table whose definition is lost"
        for path in orphans(engine, directory)
    ]


def orphans(engine: HistoryEngine, directory: Path) -> list[Path]:
    """Return the folders with parts that no table has: its definition is missing."""
    rows = engine.columns("SELECT toString(uuid) FROM system.tables")
    known = set(map(str, rows[0])) if rows else set()
    folders = (directory / "store").glob("*/*")
    return sorted(path for path in folders if path.name not in known and parts_in(path))


def parts_in(folder: Path) -> list[Path]:
    """Return the folders of parts in a table's folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and _PART.fullmatch(path.name))


def attach_orphan(engine: HistoryEngine, directory: Path, orphan: Path) -> tuple[int, int]:
    """Give the parts of a folder without a table to the table whose columns they have.

    Returns:
        How many parts were attached, and how many fit no table or can't be read.
    """
    attached = refused = 0
    for part in parts_in(orphan):
        table = _table_of(engine, part)
        if table is None:
            refused += 1
            continue
        name, uuid = table
        target = directory / "store" / uuid[:3] / uuid / "detached" / part.name
        try:
            target.parent.mkdir(exist_ok=True)
            part.rename(target)
            engine.command(f"ALTER TABLE {engine.database}.{name} ATTACH PART {quoted(part.name)}")
            attached += 1
        except (OSError, StorageError):
            refused += 1
    return attached, refused


def _set_aside(engine: HistoryEngine) -> list[tuple[str, str]]:
    rows = engine.columns(
        "SELECT table, name FROM system.detached_parts "  # noqa: S608 - a literal from quoted()
        f"WHERE database = {quoted(engine.database)} ORDER BY table, name"
    )
    return list(zip(map(str, rows[0]), map(str, rows[1]), strict=True)) if rows else []


def _table_of(engine: HistoryEngine, part: Path) -> tuple[str, str] | None:
    """Return name and id of the table with exactly the columns of a part."""
    try:
        text = (part / "columns.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    wanted = set(re.findall(r"^`([^`]+)`", text, re.MULTILINE))
    rows = engine.columns(
        "SELECT t.name, toString(t.uuid), groupArray(c.name) FROM system.tables AS t "  # noqa: S608 - a literal from quoted()
        "INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name "
        f"WHERE t.database = {quoted(engine.database)} AND t.engine LIKE '%MergeTree' "
        "GROUP BY t.name, t.uuid"
    )
    tables = zip(*rows, strict=True) if rows else ()
    for name, uuid, columns in tables:
        if wanted == set(map(str, columns)):
            return str(name), str(uuid)
    return None
