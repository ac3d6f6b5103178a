"""The ledger: commands in, events and notifications out, in one transaction."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from collectors.clock import Clock
from collectors.errors import ConflictError, NotFoundError, StorageError
from collectors.host.faults import Faults
from runbooks.incidents.commands import Command, Opening
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import Event
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.sharing import Sharing
from runbooks.incidents.store import EventStore, append, incident_name, last_number
from runbooks.paging.outbox import enqueue, put_off, targets_told
from runbooks.paging.planning import plan
from runbooks.paging.routing import Routes

Hearer = Callable[[Incident], None]
"""Called when another process has changed an incident; must be quick."""

Subscriber = Callable[[Incident, Sequence[Event]], None]
"""Called after a commit, in the thread that caused it; must be quick."""

Beside = Callable[[Connection, Incident | None, Incident, Sequence[Event]], None]
"""Writes what must be kept together with events, in their transaction: given the incident before
and after. Raises :class:`ConflictError` to have none of it happen."""

MakeOpen = Callable[[str], Sequence[Command]]
"""Given a new incident's id, returns what opens it and whatever follows it at once."""

Hold = Callable[[Incident], int]
"""How long the pages of a new incident wait for its diagnosis, in milliseconds."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What commands led to, from one state of an incident to the next."""

    before: Incident | None
    incident: Incident
    events: Sequence[Event]
    now_ms: int


@dataclass(slots=True)
class _Batch:
    """Steps that wait for their common commit, and how each incident was before."""

    steps: list[_Step] = field(default_factory=list)
    before: dict[str, Incident | None] = field(default_factory=dict)
    last_number: int | None = None

    def take(self, step: _Step) -> None:
        """Keep a step."""
        self.steps.append(step)
        self.before.setdefault(step.incident.id, step.before)


class Ledger:
    """All incidents, in memory and in the database.

    Args:
        engine: The incident database.
        routes: Where notifications go.
        clock: The present.
        faults: Hears of incidents that can't be read.
        withheld: Returns why an incident must ring nobody now, "" when it may.
    """

    def __init__(
        self,
        engine: Engine,
        routes: Routes,
        clock: Clock,
        faults: Faults | None = None,
        withheld: Callable[[Incident], str] = lambda _: "",
    ) -> None:
        self._engine = engine
        self._store = EventStore(engine)
        self.routes = routes
        self._withheld = withheld
        self._clock = clock
        self._lock = threading.RLock()
        self._subscribers: list[Subscriber] = []
        self._hold: Hold = lambda _: 0
        self._hearers: list[Hearer] = []
        self._beside: list[Beside] = []
        self._batch: _Batch | None = None
        self.sharing = Sharing(engine)
        self._position = self._store.position()
        self._incidents = dict(self._folded(faults or Faults()))

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber`` after every change."""
        self._subscribers.append(subscriber)

    def hold_first_pages(self, hold: Hold) -> None:
        """Have the pages of each new incident wait for so long as ``hold`` says of it."""
        self._hold = hold

    def put_off(self, incident_id: str, until_ms: int, reason: str) -> None:
        """Let an incident's pages that were not tried yet wait until a time, or no longer.

        Raises:
            StorageError: The database failed; they ring when they would have.
        """
        with self._transaction() as connection:
            put_off(connection, incident_id, until_ms, reason)

    def hear(self, hearer: Hearer) -> None:
        """Call ``hearer`` with every incident that another process has changed."""
        self._hearers.append(hearer)

    def keep_beside(self, beside: Beside) -> None:
        """Call ``beside`` in the transaction of every change."""
        self._beside.append(beside)

    def use_routes(self, routes: Routes) -> None:
        """Send what is paged from now on along ``routes``."""
        with self._lock:
            self.routes = routes

    def withheld(self, incident: Incident) -> str:
        """Return why an incident must ring nobody now; "" when it may."""
        return self._withheld(incident)

    def incidents(self) -> list[Incident]:
        """Return all incidents, newest first."""
        # Without the lock, which a writer holds for as long as the database makes it wait.
        return sorted(self._incidents.copy().values(), key=lambda i: (-i.opened_ms, i.id))

    def incident(self, incident_id: str) -> Incident:
        """Return one incident; raise :class:`NotFoundError` if there is none."""
        found = self._incidents.get(incident_id)
        if found is None and self.sharing.is_shared:
            self.refresh()  # another process may have opened it a moment ago
            found = self._incidents.get(incident_id)
        if found is None:
            raise NotFoundError(f"there is no incident {incident_id[:50]!r}; see /api/v2/incidents")
        return found

    def going_on(self, incident_id: str) -> Incident:
        """Return an incident, or the one in which it goes on after merging."""
        incident = self.incident(incident_id)
        while incident.merged_into is not None:
            incident = self.incident(incident.merged_into)
        return incident

    def events(self, incident_id: str) -> tuple[Event, ...]:
        """Return the whole log of one incident."""
        return self._store.events(incident_id)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit all that is carried out within in one transaction at the end, or none of it.

        Raises:
            ConflictError: Another process has changed one of the incidents; nothing has changed.
            StorageError: The database failed; nothing has changed.
        """
        with self._lock:
            if self._batch is not None:
                yield
                return
            with self._writing():
                batch = self._batch = _Batch()
                try:
                    yield
                    self._commit(batch.steps)
                except BaseException as error:
                    self._undo(batch, reload=isinstance(error, ConflictError))
                    raise
                finally:
                    self._batch = None
            for step in batch.steps:
                self._tell(step.incident, step.events)

    def refresh(self) -> None:
        """Read what other processes on the same database have written.

        Raises:
            StorageError: The database failed.
        """
        with self._lock:
            if self._batch is None:
                self._refresh()

    def open(self, make: MakeOpen) -> Incident:
        """Open a new incident with the commands that ``make`` returns for its id."""
        with self.together():
            incident_id = self._next_id()
            return self.execute(incident_id, *make(incident_id))

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out ``commands`` together: all of them, or none.

        Raises:
            NotFoundError: There is no such incident.
            ConflictError: A command is not possible in the present state.
            StorageError: The database failed; nothing has changed.
        """
        opening = bool(commands) and isinstance(commands[0], Opening)
        with self._lock:
            if self._batch is not None:
                before = None if opening else self.incident(incident_id)
                step = self._decided(before, commands)
                if step.events:
                    self._batch.take(step)
                self._incidents[incident_id] = step.incident
                return step.incident
            with self._writing():
                before = None if opening else self.incident(incident_id)
                step = self._decided_and_committed(before, commands)
                self._incidents[incident_id] = step.incident
            if step.events:
                self._tell(step.incident, step.events)
        return step.incident

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Decide within on what all processes have left, and let no other one write."""
        with self.sharing.writing():
            if self.sharing.is_shared:
                self._refresh()
            yield

    def _refresh(self) -> None:
        try:
            position, changed = self._store.changes(self._position)
            if changed is None:
                changed = dict.fromkeys(self._store.ids(), sys.maxsize)
            for incident_id, seq in changed.items():
                known = self._incidents.get(incident_id)
                if known is None or known.seq < seq:
                    self._read_on(incident_id, known)
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error
        self._position = position

    def _read_on(self, incident_id: str, known: Incident | None) -> None:
        events = self._store.events(incident_id, after=known.seq if known else 0)
        if not events:
            return
        try:
            incident = fold(events, known)
        except Exception:  # noqa: BLE001 - damaged, or of another version: the others are needed
            _log.exception("incident not read", incident=incident_id)
            return
        self._incidents[incident_id] = incident
        for hear in self._hearers:
            hear(incident)

    def _folded(self, faults: Faults) -> Iterator[tuple[str, Incident]]:
        """Yield every incident that can be read; the others stay in the database."""
        unread: list[str] = []
        for incident_id in self._store.ids():
            try:
                yield incident_id, fold(self._store.events(incident_id))
            except Exception as error:  # noqa: BLE001 - whatever its rows hold, the others are needed
                unread.append(incident_id)
                reason = f"{', '.join(unread[:20])}: {type(error).__name__}: {error}"
                faults.failed(
                    "incidents (unread)",
                    place=str(self._engine.url.render_as_string(hide_password=True)),
                    reason=reason,
                    lost=f"{len(unread)} incidents are not shown; their rows are kept",
                    lasting=True,
                )

    def _next_id(self) -> str:
        batch = self._batch
        if batch is None:
            with self._transaction() as connection:
                return incident_name(last_number(connection) + 1)
        if batch.last_number is None:
            with self._transaction() as connection:
                batch.last_number = last_number(connection)
        batch.last_number += 1
        return incident_name(batch.last_number)

    def _decided_and_committed(self, before: Incident | None, commands: Sequence[Command]) -> _Step:
        try:
            step = self._decided(before, commands)
            self._commit([step])
        except ConflictError:
            fresh = self._reloaded(before)
            if fresh is None:
                raise
            step = self._decided(fresh, commands)
            self._commit([step])
        return step

    def _decided(self, before: Incident | None, commands: Sequence[Command]) -> _Step:
        incident, events = before, list[Event]()
        now_ms = self._clock.now_ms()
        for command in commands:
            decided = decide(incident, command, now_ms)
            incident = fold(decided, incident) if decided else incident
            events += decided
        if incident is None:
            raise ConflictError("no command was given")
        return _Step(before=before, incident=incident, events=events, now_ms=now_ms)

    def _commit(self, steps: Sequence[_Step]) -> None:
        """Write events and what follows from them; nothing is asked where nothing happened."""
        if not any(step.events for step in steps):
            return
        with self._transaction() as connection:
            for step in steps:
                append(connection, step.events)
                told = targets_told(connection, step.incident.id)
                quiet = self._withheld(step.incident)
                planned = plan(
                    step.before,
                    step.incident,
                    step.events,
                    self.routes,
                    told,
                    quiet,
                    step.now_ms,
                )
                hold_ms = self._hold(step.incident) if step.before is None else 0
                enqueue(connection, planned, step.now_ms, hold_ms)
                for beside in self._beside if step.events else ():
                    beside(connection, step.before, step.incident, step.events)

    def _undo(self, batch: _Batch, *, reload: bool) -> None:
        for incident_id, before in batch.before.items():
            if before is None:
                self._incidents.pop(incident_id, None)
            else:
                fresh = self._reloaded(before) if reload else None
                self._incidents[incident_id] = fresh or before

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
