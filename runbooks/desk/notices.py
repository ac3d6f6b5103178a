"""Notices: messages about no incident, such as a hand-over; each is posted once.

They take the outbox as pages do, so that a restart, a lost answer or a way that fails costs none
and doubles none. The row that stands for a notice is written with its messages.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, Engine, String, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from collectors.errors import NotFoundError
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import Record
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.schema import METADATA
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.card import Called, Card
from runbooks.notifiers.delivery import Action
from runbooks.oncall.mentions import named_in
from runbooks.oncall.people import Person
from runbooks.oncall.roster import Roster
from runbooks.paging.outbox import enqueue
from runbooks.paging.planning import Notification
from runbooks.paging.routing import Target

NOTICES = Table(
    "notices",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("headline", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("member", String(32), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

MAX_TO_TELL = 100
"""Notes that name somebody and wait until those are told; the oldest goes."""

PREFIX = "notice-"
"""No incident's id begins so."""


def is_notice(row_id: str) -> bool:
    """Whether a row of the outbox is of a notice."""
    return row_id.startswith(PREFIX)


class Notices:
    """Posts notices and draws them.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def post(
        self, key: str, headline: str, called: Called, targets: Iterable[Target], now_ms: int
    ) -> bool:
        """Queue a notice unless one with this key was queued before; return whether it was.

        Args:
            key: Names it for good, at most 25 characters.
            headline: What it says.
            called: Whom it calls, and how that is said.
            targets: Where to.
            now_ms: The present.
        """
        notice_id = f"{PREFIX}{key}"
        values = {
            "id": notice_id,
            "headline": headline,
            "words": called.words,
            "member": called.slack,
            "made_ms": now_ms,
        }
        planned = [
            Notification(incident_id=notice_id, target=target, action=Action.OPEN)
            for target in dict.fromkeys(targets)
        ]
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(NOTICES).values(**values))
                enqueue(connection, planned, now_ms)
        except IntegrityError:
            return False
        return True

    def card(self, notice_id: str) -> Card:
        """Return what a notice says.

        Raises:
            NotFoundError: There is no such notice.
        """
        query = select(NOTICES).where(NOTICES.c.id == notice_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(f"there is no notice {notice_id[:50]!r}")
        return Card(
            incident_id=notice_id,
            headline=row["headline"],
            severity=Severity.SEV4,
            status=Status.CLOSED,
            acknowledged=True,
            fields=(),
            evidence=(),
            more_evidence=0,
            links=(),
            called=Called(words=row["words"], slack=row["member"]),
            notice=True,
        )


class Mentions:
    """Tells people that a note names them.

    Each is told by the ways to that person alone; whoever has none where the incident's route
    goes, by the name that a chat knows. That they are told stands on the incident's record.

    Args:
        ledger: Where notes are written.
        roster: Says who people are.
        notices: Posts it.
    """

    def __init__(self, ledger: Ledger, roster: Roster, notices: Notices) -> None:
        self._ledger = ledger
        self._roster = roster
        self._notices = notices
        self._waiting: deque[Event] = deque(maxlen=MAX_TO_TELL)
        ledger.subscribe(self._hear)

    def _hear(self, incident: Incident, events: Sequence[Event]) -> None:
        del incident
        notes = (event for event in events if event.kind is EventKind.NOTE)
        self._waiting.extend(event for event in notes if "@" in event.text)

    def tick(self, now_ms: int) -> None:
        """Tell whoever was named since."""
        while self._waiting:
            self._tell(self._waiting.popleft(), now_ms)

    def _tell(self, note: Event, now_ms: int) -> None:
        people = self._roster.duty.people
        named = named_in(note.text, people.values())
        if not people or not (named.people or named.unknown):
            return
        incident = self._ledger.incident(note.incident_id)
        for person in named.people:
            self._notices.post(
                _key(note, person),
                f"{note.actor} names you in {incident.id}: {note.text}",
                Called(words=f"{person.name}: {incident.title}", slack=person.slack),
                self._targets(incident, person),
                now_ms,
            )
        said = [f"{person.name} is told of it" for person in named.people]
        said += [f"nobody is called @{word}" for word in named.unknown]
        text = f"named in note {note.seq}: {'; '.join(said)}"
        self._ledger.execute(note.incident_id, Record(kind=EventKind.MENTIONED, text=text))

    def _targets(self, incident: Incident, person: Person) -> Iterable[Target]:
        own = [Target(notifier=name, channel=where) for name, where in person.ways]
        return own or self._ledger.routes.targets(incident)


def _key(note: Event, person: Person) -> str:
    of = f"{note.incident_id} {note.seq} {person.id}"
    return f"at-{hashlib.sha256(of.encode()).hexdigest()[:20]}"
