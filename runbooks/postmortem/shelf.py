"""Where post-mortems are kept: what the machine knows apart from what people wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.postmortem.facts import Facts, facts_from_json, facts_to_json
from runbooks.postmortem.stages import Stage
from runbooks.postmortem.tables import POST_MORTEM_TEXTS, POST_MORTEMS

MAX_SHOWN = 200
"""Post-mortems of a list; older ones are asked for by their incident."""

MAX_REVISIONS = 200
"""Of one section; the oldest give way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person wrote: the newest revision of a section.

    ``evidence`` are the hashes of the machine's sections when it was written, by their names.
    """

    text: str
    author: str
    time_ms: int
    revision: int
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A post-mortem without its texts."""

    incident_id: str
    stage: Stage
    moved_ms: int
    moved_by: str
    facts: Facts
    file_hash: str


class Shelf:
    """Reads and writes the tables.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def find(self, incident_id: str) -> Kept | None:
        """Return one; None if it was never written."""
        query = select(POST_MORTEMS).where(POST_MORTEMS.c.incident_id == incident_id)
        with self._reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _kept(row)

    def kept(self, incident_id: str) -> Kept:
        """Return one.

        Raises:
            NotFoundError: It was never written.
        """
        found = self.find(incident_id)
        if found is None:
            raise NotFoundError(f"{incident_id} has no post-mortem; resolve it first")
        return found

    def latest(self) -> list[tuple[Kept, dict[str, Written]]]:
        """Return the newest with what people wrote, without charts, at most ``MAX_SHOWN``."""
        table = POST_MORTEMS
        columns = [column for column in table.c if column is not table.c.charts]
        newest = select(*columns).order_by(table.c.generated_ms.desc()).limit(MAX_SHOWN)
        with self._reading() as connection:
            kept = [_kept(row) for row in connection.execute(newest).mappings()]
            ids = [one.incident_id for one in kept]
            said = select(POST_MORTEM_TEXTS).where(POST_MORTEM_TEXTS.c.incident_id.in_(ids))
            rows = connection.execute(said.order_by(POST_MORTEM_TEXTS.c.revision)).mappings().all()
        texts: dict[str, dict[str, Written]] = {one: {} for one in ids}
        for row in rows:
            texts[row["incident_id"]][row["section"]] = _written(row)
        return [(one, texts[one.incident_id]) for one in kept]

    def keep(self, incident_id: str, facts: Facts, by: str) -> None:
        """Keep what the machine knows now; the stage stays, a new one is a draft."""
        values = facts_to_json(facts)
        mine = POST_MORTEMS.c.incident_id == incident_id
        with self._writing() as connection:
            changed = connection.execute(update(POST_MORTEMS).where(mine).values(**values))
            if changed.rowcount == 0:
                first = {
                    "incident_id": incident_id,
                    "stage": Stage.DRAFT.value,
                    "moved_ms": facts.generated_ms,
                    "moved_by": by,
                    "file_hash": "",
                }
                connection.execute(insert(POST_MORTEMS).values(**first, **values))

    def move(self, incident_id: str, before: Stage, to: Stage, by: str, now_ms: int) -> None:
        """Note another stage.

        Raises:
            ConflictError: Somebody else has moved it meanwhile.
        """
        mine = (POST_MORTEMS.c.incident_id == incident_id, POST_MORTEMS.c.stage == before.value)
        values = {"stage": to.value, "moved_ms": now_ms, "moved_by": by}
        with self._writing() as connection:
            if connection.execute(update(POST_MORTEMS).where(*mine).values(**values)).rowcount != 1:
                raise ConflictError(f"{incident_id}: somebody else has moved it; look again")

    def note_file(self, incident_id: str, file_hash: str) -> None:
        """Note what was written to disk."""
        mine = POST_MORTEMS.c.incident_id == incident_id
        with self._writing() as connection:
            connection.execute(update(POST_MORTEMS).where(mine).values(file_hash=file_hash))

    def texts(self, incident_id: str) -> dict[str, Written]:
        """Return the newest revision of each section."""
        table = POST_MORTEM_TEXTS
        query = select(table).where(table.c.incident_id == incident_id).order_by(table.c.revision)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {row["section"]: _written(row) for row in rows}

    def write(
        self,
        incident_id: str,
        section: str,
        text: str,
        *,
        author: str,
        evidence: Mapping[str, str],
        now_ms: int,
        after: int | None = None,
    ) -> int:
        """Add a revision and return its number.

        Args:
            incident_id: Of which post-mortem.
            section: Name of the section.
            text: What it says now.
            author: Who wrote it.
            evidence: Hashes of what the machine knew.
            now_ms: The present, epoch milliseconds.
            after: The revision that the author has seen; None does not ask.

        Raises:
            ConflictError: Somebody else has written meanwhile.
        """
        table = POST_MORTEM_TEXTS
        mine = (table.c.incident_id == incident_id, table.c.section == section)
        row = {
            "incident_id": incident_id,
            "section": section,
            "text": text,
            "author": author,
            "time_ms": now_ms,
            "evidence": dict(evidence),
        }
        changed = f"{section}: somebody else has changed it meanwhile; read it again"
        try:
            with self._writing() as connection:
                last = connection.scalar(select(func.max(table.c.revision)).where(*mine)) or 0
                if after is not None and after != last:
                    raise ConflictError(changed)
                connection.execute(insert(table).values(**row, revision=last + 1))
                old = table.c.revision <= last + 1 - MAX_REVISIONS
                connection.execute(delete(table).where(*mine, old))
        except IntegrityError:
            raise ConflictError(changed) from None
        return int(last) + 1

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(f"post-mortems can't be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise StorageError(f"post-mortems can't be written: {error}") from error


def _kept(row: RowMapping) -> Kept:
    return Kept(
        incident_id=row["incident_id"],
        stage=Stage(row["stage"]),
        moved_ms=row["moved_ms"],
        moved_by=row["moved_by"],
        facts=facts_from_json(row["facts"], row.get("charts") or ()),
        file_hash=row["file_hash"],
    )


def _written(row: RowMapping) -> Written:
    return Written(
        text=row["text"],
        author=row["author"],
        time_ms=row["time_ms"],
        revision=row["revision"],
        evidence=row["evidence"],
    )
