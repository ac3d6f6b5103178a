"""The ledger: commands in, events and notifications out, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from collectors.clock import Clock
from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.incidents.commands import Command, Open
from runbooks.incidents.decide import decide
from runbooks.incidents.events import Event
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.store import EventStore, append, next_incident_id
from runbooks.paging.outbox import enqueue, targets_told
from runbooks.paging.planning import plan
from runbooks.paging.routing import Routes

Subscriber = Callable[[Incident, Sequence[Event]], None]
"""Called after a commit, in the thread that caused it; must be quick."""

MakeOpen = Callable[[str], Sequence[Command]]
"""Given a new incident's id, returns ``Open`` and whatever follows it at once."""

_log = structlog.get_logger(__name__)


class Ledger:
    """All incidents, in memory and in the database.

    Args:
        engine: The incident database.
        routes: Where notifications go.
        clock: The present.
    """

    def __init__(self, engine: Engine, routes: Routes, clock: Clock) -> None:
        self._engine = engine
        self._store = EventStore(engine)
        self.routes = routes
        self._clock = clock
        self._lock = threading.RLock()
        self._subscribers: list[Subscriber] = []
        self._incidents = {log[0].incident_id: fold(log) for log in self._store.logs()}

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber`` after every change."""
        self._subscribers.append(subscriber)

    def use_routes(self, routes: Routes) -> None:
        """Send what is paged from now on along ``routes``."""
        with self._lock:
            self.routes = routes

    def incidents(self) -> list[Incident]:
        """Return all incidents, newest first."""
        with self._lock:
            return sorted(self._incidents.values(), key=lambda i: (-i.opened_ms, i.id))

    def incident(self, incident_id: str) -> Incident:
        """Return one incident; raise :class:`NotFoundError` if there is none."""
        with self._lock:
            found = self._incidents.get(incident_id)
        if found is None:
            raise NotFoundError(f"there is no incident {incident_id[:50]!r}; see /api/v2/incidents")
        return found

    def events(self, incident_id: str) -> tuple[Event, ...]:
        """Return the whole log of one incident."""
        return self._store.events(incident_id)

    def open(self, make: MakeOpen) -> Incident:
        """Open a new incident with the commands that ``make`` returns for its id."""
        with self._lock:
            with self._transaction() as connection:
                incident_id = next_incident_id(connection)
            return self.execute(incident_id, *make(incident_id))

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out ``commands`` together: all of them, or none.

        Raises:
            NotFoundError: There is no such incident.
            ConflictError: A command is not possible in the present state.
            StorageError: The database failed; nothing has changed.
        """
        with self._lock:
            opening = bool(commands) and isinstance(commands[0], Open)
            before = None if opening else self.incident(incident_id)
            try:
                incident, events = self._commit(before, commands)
            except ConflictError:
                fresh = self._reloaded(before)
                if fresh is None:
                    raise
                incident, events = self._commit(fresh, commands)
            self._incidents[incident_id] = incident
            if events:
                self._tell(incident, events)
        return incident

    def _commit(
        self, before: Incident | None, commands: Sequence[Command]
    ) -> tuple[Incident, list[Event]]:
        incident, events = before, list[Event]()
        now_ms = self._clock.now_ms()
        for command in commands:
            decided = decide(incident, command, now_ms)
            incident = fold(decided, incident)
            events += decided
        if incident is None:
            raise ConflictError("no command was given")
        with self._transaction() as connection:
            append(connection, events)
            told = targets_told(connection, incident.id)
            enqueue(connection, plan(before, incident, events, self.routes, told), now_ms)
        return incident, events

    def _reloaded(self, before: Incident | None) -> Incident | None:
        """Return the incident as another process has left it; None if nobody touched it."""
        if before is None:
            return None
        stored = self._store.events(before.id)
        return fold(stored) if len(stored) > before.seq else None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error

    def _tell(self, incident: Incident, events: Sequence[Event]) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(incident, events)
            except Exception:  # noqa: BLE001 - what is committed stays; a listener is no failure
                _log.exception("subscriber failed", incident=incident.id)
