"""Notices: messages about no incident, such as a hand-over; each is posted once.

They take the outbox as pages do, so that a restart, a lost answer or a way that fails costs none
and doubles none. The row that stands for a notice is written with its messages.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, Engine, String, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from collectors.errors import NotFoundError
from runbooks.incidents.schema import METADATA
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.card import Called, Card
from runbooks.notifiers.delivery import Action
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
