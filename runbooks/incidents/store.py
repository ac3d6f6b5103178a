"""The event store: append, read, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, delete, desc, func, insert, select
from sqlalchemy.exc import IntegrityError

from collectors.errors import ConflictError
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.schema import CHANGES, EVENTS

MAX_CHANGES = 10_000
"""Changes kept for other processes; who is further behind reads everything again."""

_PRUNE_EVERY = 500


def append(connection: Connection, events: Sequence[Event]) -> None:
    """Add ``events`` to their logs, within the caller's transaction.

    Raises:
        ConflictError: Another writer has appended in the meantime.
    """
    if not events:
        return
    rows = [
        {
            "incident_id": event.incident_id,
            "seq": event.seq,
            "time_ms": event.time_ms,
            "kind": event.kind.value,
            "actor": event.actor,
            "text": event.text,
            "data": dict(event.data),
        }
        for event in events
    ]
    last = events[-1]
    try:
        connection.execute(insert(EVENTS), rows)
        changed = insert(CHANGES).values(incident_id=last.incident_id, seq=last.seq)
        [change_id] = connection.execute(changed).inserted_primary_key or [0]
    except IntegrityError as error:
        raise ConflictError(
            f"{events[0].incident_id} has changed in the meantime; read it and try again"
        ) from error
    if change_id % _PRUNE_EVERY == 0:
        connection.execute(delete(CHANGES).where(CHANGES.c.id <= change_id - MAX_CHANGES))


def last_number(connection: Connection) -> int:
    """Return the number of the newest incident, 0 if there is none.

    A count would give a number twice after an incident was lost.
    """
    by_length = (desc(func.length(EVENTS.c.incident_id)), desc(EVENTS.c.incident_id))
    newest = connection.scalar(select(EVENTS.c.incident_id).order_by(*by_length).limit(1))
    found = re.fullmatch(r"inc-(\d+)", newest or "")
    return int(found[1]) if found else 0


def incident_name(number: int) -> str:
    """Return the id of the incident with a number, such as ``inc-0001``."""
    return f"inc-{number:04d}"


class EventStore:
    """Reads whole logs.

    Args:
        engine: From :func:`runbooks.incidents.database.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def events(self, incident_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return the log of one incident after a position, oldest first; empty if there is none."""
        its = EVENTS.c.incident_id == incident_id
        query = select(EVENTS).where(its, EVENTS.c.seq > after).order_by(EVENTS.c.seq)
        with self._engine.connect() as connection:
            return tuple(_event(row._mapping) for row in connection.execute(query))  # noqa: SLF001  # SQLAlchemy's public name

    def ids(self) -> list[str]:
        """Return the id of every incident, the oldest first."""
        query = select(EVENTS.c.incident_id).distinct().order_by(EVENTS.c.incident_id)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def position(self) -> int:
        """Return the number of the newest change."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.max(CHANGES.c.id))) or 0

    def changes(self, after: int) -> tuple[int, dict[str, int] | None]:
        """Return the newest change, and which incidents have changed since ``after``, how far.

        None in their place: so much has changed that only all of them tell it.
        """
        query = select(CHANGES).where(CHANGES.c.id > after).order_by(CHANGES.c.id)
        oldest = select(func.min(CHANGES.c.id))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            if rows and rows[0].id > after + 1 and (connection.scalar(oldest) or 0) > after + 1:
                return int(rows[-1].id), None
        return (int(rows[-1].id) if rows else after), {r.incident_id: int(r.seq) for r in rows}

    def logs(self) -> Iterator[tuple[Event, ...]]:
        """Yield the log of every incident, oldest incident first."""
        for incident_id in self.ids():
            yield self.events(incident_id)


def _event(row: object) -> Event:
    values = dict(row)  # type: ignore[call-overload]  # a row mapping
    try:
        kind = EventKind(values["kind"])
    except ValueError:
        # Of another version, or damaged: it stays in its place, and changes nothing.
        text = f"an event of a kind that is not known here, {values['kind']!r}: {values['text']}"
        values |= {"text": text, "data": {}}
        kind = EventKind.NOTE
    return Event(**{**values, "kind": kind})
