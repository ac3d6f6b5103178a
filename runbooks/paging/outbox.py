"""The outbox: what is still to be sent survives a crash, and nothing is sent twice.

A row is written in the transaction of the events that caused it. A worker *claims* it before it
sends; a row found claimed after a crash may have been sent, so it is *unknown* until the notifier
has looked. Rows of one incident and channel are sent in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    and_,
    exists,
    insert,
    or_,
    select,
    update,
)

from runbooks.incidents.schema import OUTBOX
from runbooks.notifiers.delivery import Action
from runbooks.paging.planning import Notification
from runbooks.paging.routing import Target
from tocsin.client.wording import trimmed

MAX_TEXT = 3_000
MAX_REASON = 500


class RowState(StrEnum):
    """``UNKNOWN``: the answer was lost, so it must be looked up before it is sent again."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


UNFINISHED = (RowState.PENDING.value, RowState.UNKNOWN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One notification and what became of it. Times are epoch milliseconds."""

    id: int
    incident_id: str
    notifier: str
    channel: str
    action: Action
    text: str
    state: RowState
    attempts: int
    created_ms: int
    due_ms: int
    claimed_ms: int | None
    sent_ms: int | None
    reference: str
    reason: str


def enqueue(connection: Connection, planned: Iterable[Notification], now_ms: int) -> None:
    """Add notifications within the caller's transaction.

    An edit is left out while one for the same message still waits: the card is drawn when it is
    sent, so that one will show this change too.
    """
    for notification in planned:
        if notification.action is Action.EDIT and _edit_waits(connection, notification):
            continue
        _insert(connection, notification, now_ms)


def targets_told(connection: Connection, incident_id: str) -> list[Target]:
    """Return the targets that an incident's message was or will be posted to."""
    query = (
        select(OUTBOX.c.notifier, OUTBOX.c.channel)
        .where(OUTBOX.c.incident_id == incident_id, OUTBOX.c.action == Action.OPEN.value)
        .order_by(OUTBOX.c.id)
    )
    targets = [Target(notifier=name, channel=where) for name, where in connection.execute(query)]
    return list(dict.fromkeys(targets))


class Outbox:
    """Claims and finishes rows.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, now_ms: int) -> OutboxRow | None:
        """Take the next row that is due and whose predecessors are done; None if there is none."""
        older = OUTBOX.alias("older")
        held_up = exists().where(
            older.c.incident_id == OUTBOX.c.incident_id,
            older.c.notifier == OUTBOX.c.notifier,
            older.c.channel == OUTBOX.c.channel,
            older.c.id < OUTBOX.c.id,
            older.c.state.in_(UNFINISHED),
            older.c.due_ms < NEVER_MS,
        )
        query = (
            select(OUTBOX)
            .where(
                OUTBOX.c.state.in_(UNFINISHED),
                OUTBOX.c.claimed_ms.is_(None),
                OUTBOX.c.due_ms <= now_ms,
                ~held_up,
            )
            .order_by(OUTBOX.c.id)
            .limit(1)
        )
        with self._engine.begin() as connection:
            found = connection.execute(query).mappings().first()
            if found is None:
                return None
            mine = update(OUTBOX).where(OUTBOX.c.id == found["id"], OUTBOX.c.claimed_ms.is_(None))
            claimed = connection.execute(mine.values(claimed_ms=now_ms))
            return _row(found) if claimed.rowcount == 1 else None

    def finish(self, row: OutboxRow, state: RowState, now_ms: int, **changes: str) -> None:
        """Note that a claimed row is done: sent, failed, or unknown for good."""
        values: dict[str, object] = {"state": state.value, "claimed_ms": None}
        values |= {key: trimmed(text, MAX_REASON) for key, text in changes.items()}
        if state is RowState.SENT:
            values["sent_ms"] = now_ms
        if state is RowState.UNKNOWN:
            values["due_ms"] = NEVER_MS
        self._set(row, values)

    def retry(self, row: OutboxRow, state: RowState, due_ms: int, reason: str) -> None:
        """Put a claimed row back, to be taken again from ``due_ms`` on."""
        values: dict[str, object] = {
            "state": state.value,
            "claimed_ms": None,
            "due_ms": due_ms,
            "attempts": row.attempts + 1,
            "reason": trimmed(reason, MAX_REASON),
        }
        self._set(row, values)

    def post_again(self, row: OutboxRow, now_ms: int, reason: str) -> None:
        """End ``row``, whose message is gone, and queue a new message with what it had to say."""
        target = Target(notifier=row.notifier, channel=row.channel)
        newer = select(OUTBOX.c.id).where(
            _same_target(row), OUTBOX.c.action == Action.OPEN.value, OUTBOX.c.id > row.id
        )
        with self._engine.begin() as connection:
            actions = [] if connection.scalar(newer.limit(1)) else [Action.OPEN]
            actions += [Action.REPLY] if row.action is Action.REPLY else []
            for action in actions:
                text = row.text if action is Action.REPLY else ""
                again = Notification(
                    incident_id=row.incident_id, target=target, action=action, text=text
                )
                _insert(connection, again, now_ms)
        self.finish(row, RowState.FAILED, now_ms, reason=reason)

    def recover(self, claimed_before_ms: int) -> int:
        """Mark rows whose worker died as unknown; return how many."""
        stale = update(OUTBOX).where(
            OUTBOX.c.state.in_(UNFINISHED), OUTBOX.c.claimed_ms < claimed_before_ms
        )
        values = {"state": RowState.UNKNOWN.value, "claimed_ms": None}
        with self._engine.begin() as connection:
            return connection.execute(stale.values(**values)).rowcount

    def reference(self, row: OutboxRow) -> str:
        """Return the reference of the message that ``row`` edits or replies to; "" if none."""
        query = select(OUTBOX.c.reference).where(
            _same_target(row), OUTBOX.c.action == Action.OPEN.value, OUTBOX.c.state == "sent"
        )
        with self._engine.connect() as connection:
            return connection.scalar(query.order_by(OUTBOX.c.id.desc()).limit(1)) or ""

    def rows(self, incident_id: str) -> list[OutboxRow]:
        """Return an incident's rows in their order."""
        query = select(OUTBOX).where(OUTBOX.c.incident_id == incident_id).order_by(OUTBOX.c.id)
        with self._engine.connect() as connection:
            return [_row(found) for found in connection.execute(query).mappings()]

    def _set(self, row: OutboxRow, values: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(**values))


NEVER_MS = 2**62
"""Due never: kept on record as unknown, and in nobody's way."""


def _insert(connection: Connection, notification: Notification, now_ms: int) -> None:
    connection.execute(
        insert(OUTBOX).values(
            incident_id=notification.incident_id,
            notifier=notification.target.notifier,
            channel=notification.target.channel,
            action=notification.action.value,
            text=trimmed(notification.text, MAX_TEXT),
            state=RowState.PENDING.value,
            attempts=0,
            created_ms=now_ms,
            due_ms=now_ms,
            reference="",
            reason="",
        )
    )


def _edit_waits(connection: Connection, notification: Notification) -> bool:
    query = select(OUTBOX.c.id).where(
        OUTBOX.c.incident_id == notification.incident_id,
        OUTBOX.c.notifier == notification.target.notifier,
        OUTBOX.c.channel == notification.target.channel,
        or_(OUTBOX.c.action == Action.EDIT.value, OUTBOX.c.action == Action.OPEN.value),
        OUTBOX.c.state == RowState.PENDING.value,
        OUTBOX.c.claimed_ms.is_(None),
    )
    return connection.scalar(query.limit(1)) is not None


def _same_target(row: OutboxRow) -> ColumnElement[bool]:
    return and_(
        OUTBOX.c.incident_id == row.incident_id,
        OUTBOX.c.notifier == row.notifier,
        OUTBOX.c.channel == row.channel,
    )


def _row(found: RowMapping) -> OutboxRow:
    values = dict(found)
    values |= {"action": Action(values["action"]), "state": RowState(values["state"])}
    return OutboxRow(**values)
