"""The event store: append, read, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from collectors.errors import ConflictError
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.schema import EVENTS


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
    try:
        connection.execute(insert(EVENTS), rows)
    except IntegrityError as error:
        raise ConflictError(
            f"{events[0].incident_id} has changed in the meantime; read it and try again"
        ) from error


def count_incidents(connection: Connection) -> int:
    """Return how many incidents there are."""
    return connection.scalar(select(func.count(EVENTS.c.incident_id.distinct()))) or 0


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

    def events(self, incident_id: str) -> tuple[Event, ...]:
        """Return the log of one incident, oldest first; empty if there is none."""
        query = select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.seq)
        with self._engine.connect() as connection:
            return tuple(_event(row._mapping) for row in connection.execute(query))  # noqa: SLF001  # SQLAlchemy's public name

    def ids(self) -> list[str]:
        """Return the id of every incident, the oldest first."""
        query = select(EVENTS.c.incident_id).distinct().order_by(EVENTS.c.incident_id)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

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
