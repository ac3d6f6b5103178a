"""The outbox: what is still to be sent survives a crash, and nothing is sent twice.

A row is written in the transaction of the events that caused it. A worker *claims* it before it
sends; a row found claimed after a crash may have been sent, so it is *unknown* until the notifier
has looked. Which row is next is said in :mod:`runbooks.paging.order`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    and_,
    insert,
    select,
    update,
)

from runbooks.incidents.schema import OUTBOX
from runbooks.notifiers.delivery import Action
from runbooks.paging.order import Hold, Queued, next_row
from runbooks.paging.planning import Notification
from runbooks.paging.routing import Target
from tocsin.client.wording import trimmed

_log = structlog.get_logger(__name__)
MAX_TEXT = 3_000
MAX_REASON = 500


class RowState(StrEnum):
    """``UNKNOWN``: the answer was lost, so it must be looked up before it is sent again."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


DRAWS = (Action.OPEN, Action.EDIT)
REPLIES_APART = 3
"""So many thread lines of a message wait each for itself; further ones wait together."""

MAX_REPLIES = 10
"""So many wait at most; what has no room in the last of them is counted there."""

MAX_REFERENCES = 50
"""Messages of an incident that a way is told of; those before are left as they are."""

RING_GAP_MS = 10_000
"""Between two messages of one incident that ring: what happens meanwhile rings once."""

_MAX_PUT_OFF_MS = 120_000
"""Longer than a row is ever put off; what is due later was put off by another clock."""

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

    @property
    def target(self) -> Target:
        """Where it goes."""
        return Target(notifier=self.notifier, channel=self.channel)


def enqueue(
    connection: Connection, planned: Iterable[Notification], now_ms: int, hold_ms: int = 0
) -> None:
    """Add notifications within the caller's transaction.

    What draws the card is left out while something that will draw it still waits: it is drawn when
    it is sent, so that one will show this change too. Messages that ring keep a distance. Lines for
    a thread in which many wait already are added to the last of them. New
    messages wait for ``hold_ms``.
    """
    for notification in planned:
        if notification.action is Action.EDIT and _waiting(connection, notification, DRAWS):
            continue
        due_ms = now_ms
        if notification.action is Action.OPEN:
            if (row_id := _waiting(connection, notification, [Action.OPEN])) is not None:
                _also(connection, row_id, notification.text)
                continue
            rung_ms = _last_rung_ms(connection, notification)
            due_ms = max(now_ms + hold_ms, rung_ms + RING_GAP_MS)
        if notification.action is Action.REPLY and _said_below(connection, notification):
            continue
        _insert(connection, notification, now_ms, due_ms)


def put_off(connection: Connection, incident_id: str, until_ms: int, reason: str) -> None:
    """Let an incident's new messages that were not tried yet wait until a time, and say why."""
    connection.execute(
        update(OUTBOX)
        .where(
            OUTBOX.c.incident_id == incident_id,
            OUTBOX.c.action == Action.OPEN.value,
            OUTBOX.c.state == RowState.PENDING.value,
            OUTBOX.c.claimed_ms.is_(None),
            OUTBOX.c.attempts == 0,
        )
        .values(due_ms=until_ms, reason=trimmed(reason, MAX_REASON))
    )


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

    Attributes:
        fence: Asked in the transaction of each claim whether this process may deliver at all.
    """

    fence: Callable[[Connection], bool] = staticmethod(lambda _: True)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(
        self, now_ms: int, holds: Collection[Hold] = (), *, newest: bool = False
    ) -> OutboxRow | None:
        """Take the row to be sent next, see :func:`next_row`; None if there is none."""
        with self._engine.begin() as connection:
            chosen = next_row(_queued(connection), now_ms, holds, newest=newest)
            if chosen is None or not self.fence(connection):
                return None
            mine = update(OUTBOX).where(OUTBOX.c.id == chosen, OUTBOX.c.claimed_ms.is_(None))
            claimed = connection.execute(mine.values(claimed_ms=now_ms))
            if claimed.rowcount != 1:
                return None
            query = select(OUTBOX).where(OUTBOX.c.id == chosen)
            found = connection.execute(query).mappings().one()
            try:
                return replace(_row(found), claimed_ms=None)
            except (ValueError, TypeError) as error:
                _fail_unreadable(connection, chosen, str(error))
        return self.claim(now_ms, holds, newest=newest)

    def pages_waiting(self, created_before_ms: int) -> list[OutboxRow]:
        """Return the pages that have waited since before a time and that nobody has in hand."""
        query = select(OUTBOX).where(
            OUTBOX.c.state.in_(UNFINISHED),
            OUTBOX.c.action == Action.OPEN.value,
            OUTBOX.c.claimed_ms.is_(None),
            OUTBOX.c.created_ms <= created_before_ms,
            OUTBOX.c.due_ms < NEVER_MS,
        )
        with self._engine.connect() as connection:
            return [_row(found) for found in connection.execute(query).mappings()]

    def gather(self, row: OutboxRow, now_ms: int) -> OutboxRow:
        """Let a claimed thread line say all that waits for the same thread, and end the others.

        One that may have been sent already stays as it is.
        """
        if row.state is not RowState.PENDING:
            return row
        waiting = select(OUTBOX.c.id, OUTBOX.c.text).where(
            _same_message(row),
            OUTBOX.c.action == Action.REPLY.value,
            OUTBOX.c.state == RowState.PENDING.value,
            OUTBOX.c.claimed_ms.is_(None),
            OUTBOX.c.id > row.id,
        )
        with self._engine.begin() as connection:
            said = row.text
            found = connection.execute(waiting.order_by(OUTBOX.c.id)).all()
            for other in found:
                longer = joined_lines(said, other.text)
                said = longer if len(longer) <= MAX_TEXT else one_more_line(said)
            together = {"state": RowState.SENT.value, "sent_ms": now_ms}
            together |= {"reason": f"said together with {row.id}"}
            ids = [other.id for other in found]
            connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(**together))
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(text=said))
        return replace(row, text=said)

    def release(self, row: OutboxRow, reason: str) -> None:
        """Put a claimed row back where it was: its way takes nothing for now."""
        self._set(row, {"claimed_ms": None, "reason": trimmed(reason, MAX_REASON)})

    def finish(self, row: OutboxRow, state: RowState, now_ms: int, **changes: str) -> None:
        """Note that a claimed row is done: sent, failed, or unknown for good."""
        values: dict[str, object] = {"state": state.value, "claimed_ms": None}
        values |= {key: trimmed(text, MAX_REASON) for key, text in changes.items()}
        if state is RowState.SENT:
            values["sent_ms"] = now_ms
        if state is RowState.UNKNOWN:
            values["due_ms"] = NEVER_MS
        self._set(row, values)

    def retry(
        self, row: OutboxRow, state: RowState, due_ms: int, reason: str, reference: str = ""
    ) -> None:
        """Put a claimed row back, to be taken again from ``due_ms`` on.

        ``reference`` is the message that it belongs to: it is looked for there, even when the
        incident has a newer one.
        """
        values: dict[str, object] = {
            "state": state.value,
            "claimed_ms": None,
            "due_ms": due_ms,
            "attempts": row.attempts + 1,
            "reason": trimmed(reason, MAX_REASON),
            "reference": reference,
        }
        self._set(row, values)

    def post_again(self, row: OutboxRow, now_ms: int, reason: str) -> None:
        """End ``row``, whose message is gone, and queue a new message with what it had to say."""
        newer = select(OUTBOX.c.id).where(
            _same_message(row), OUTBOX.c.action == Action.OPEN.value, OUTBOX.c.id > row.id
        )
        with self._engine.begin() as connection:
            actions = [] if connection.scalar(newer.limit(1)) else [Action.OPEN]
            actions += [Action.REPLY] if row.action is Action.REPLY else []
            for action in actions:
                text = row.text if action is Action.REPLY else ""
                again = Notification(
                    incident_id=row.incident_id, target=row.target, action=action, text=text
                )
                _insert(connection, again, now_ms)
        self.finish(row, RowState.FAILED, now_ms, reason=reason)

    def fall_over(self, row: OutboxRow, target: Target, text: str, now_ms: int) -> None:
        """Queue for ``target`` what ``row`` could not bring to its own.

        A first page does not ring there again if the incident's message went there by itself.
        """
        instead = Notification(
            incident_id=row.incident_id, target=target, action=Action.OPEN, text=text
        )
        with self._engine.begin() as connection:
            if row.text or target not in targets_told(connection, row.incident_id):
                enqueue(connection, [instead], now_ms)

    def recover(self, claimed_before_ms: int) -> int:
        """Mark rows whose worker died as unknown; return how many."""
        stale = update(OUTBOX).where(
            OUTBOX.c.state.in_(UNFINISHED), OUTBOX.c.claimed_ms < claimed_before_ms
        )
        values = {"state": RowState.UNKNOWN.value, "claimed_ms": None}
        with self._engine.begin() as connection:
            return connection.execute(stale.values(**values)).rowcount

    def begin_again(self, now_ms: int) -> None:
        """Let nothing wait for a time that lies further ahead than anything is put off."""
        late = OUTBOX.c.state.in_(UNFINISHED), OUTBOX.c.due_ms < NEVER_MS
        ahead = update(OUTBOX).where(*late, OUTBOX.c.due_ms > now_ms + _MAX_PUT_OFF_MS)
        made = update(OUTBOX).where(*late, OUTBOX.c.created_ms > now_ms)
        with self._engine.begin() as connection:
            connection.execute(ahead.values(due_ms=now_ms))
            connection.execute(made.values(created_ms=now_ms))

    def references(self, row: OutboxRow) -> list[str]:
        """Return the references of the messages that ``row`` may belong to, newest first."""
        query = (
            select(OUTBOX.c.reference)
            .where(
                _same_message(row),
                OUTBOX.c.action == Action.OPEN.value,
                OUTBOX.c.state == RowState.SENT.value,
                OUTBOX.c.reference != "",
            )
            .order_by(OUTBOX.c.id.desc())
            .limit(MAX_REFERENCES)
        )
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def rows(self, incident_id: str) -> list[OutboxRow]:
        """Return an incident's rows in their order."""
        query = select(OUTBOX).where(OUTBOX.c.incident_id == incident_id).order_by(OUTBOX.c.id)
        with self._engine.connect() as connection:
            return list(_readable(connection.execute(query).mappings()))

    def _set(self, row: OutboxRow, values: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(**values))


def _fail_unreadable(connection: Connection, row_id: int, reason: str) -> None:
    """Take a row that can't be read out of the others' way; it stays on record."""
    _log.error("outbox row can't be read", outbox_id=row_id, reason=reason)
    values = {"state": RowState.FAILED.value, "claimed_ms": None, "reason": "can't be read"}
    connection.execute(update(OUTBOX).where(OUTBOX.c.id == row_id).values(**values))


NEVER_MS = 2**62
"""Due never: kept on record as unknown, and in nobody's way."""


def _insert(
    connection: Connection, notification: Notification, now_ms: int, due_ms: int | None = None
) -> None:
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
            due_ms=now_ms if due_ms is None else due_ms,
            reference="",
            reason="",
        )
    )


def _waiting(
    connection: Connection, notification: Notification, actions: Iterable[Action]
) -> int | None:
    """Return the row that waits to be taken for the same message, None if there is none."""
    query = select(OUTBOX.c.id).where(
        _same_message(notification),
        OUTBOX.c.action.in_([action.value for action in actions]),
        OUTBOX.c.state == RowState.PENDING.value,
        OUTBOX.c.claimed_ms.is_(None),
    )
    found = connection.scalar(query.limit(1))
    return None if found is None else int(found)


def _also(connection: Connection, row_id: int, text: str) -> None:
    """Let a message that waits say one more reason why it rings."""
    row = OUTBOX.c.id == row_id
    before = connection.scalar(select(OUTBOX.c.text).where(row))
    if before and text not in before:  # a first page says all by its card
        said = trimmed(f"{before}; {text}", MAX_TEXT)
        connection.execute(update(OUTBOX).where(row).values(text=said))


def _said_below(connection: Connection, notification: Notification) -> bool:
    """Add a line to the last of many that wait for the same thread; False if it needs a row."""
    waiting = (
        select(OUTBOX.c.id, OUTBOX.c.text)
        .where(
            _same_message(notification),
            OUTBOX.c.action == Action.REPLY.value,
            OUTBOX.c.state == RowState.PENDING.value,
            OUTBOX.c.claimed_ms.is_(None),
        )
        .order_by(OUTBOX.c.id)
    )
    found = connection.execute(waiting).all()
    if len(found) < REPLIES_APART:
        return False
    said = joined_lines(found[-1].text, notification.text)
    if len(said) > MAX_TEXT:
        if len(found) < MAX_REPLIES:
            return False
        said = one_more_line(found[-1].text)
    connection.execute(update(OUTBOX).where(OUTBOX.c.id == found[-1].id).values(text=said))
    return True


def joined_lines(before: str, text: str) -> str:
    """Return two pieces of a thread as one."""
    return f"{before}\n{text}"


def one_more_line(text: str) -> str:
    """Return ``text`` with one more piece counted that it has no room for.

    >>> one_more_line(one_more_line("a")).splitlines()
    ['a', '… and 2 more updates, see the war room']
    """
    found = _MORE.search(text)
    count = int(found[1]) + 1 if found else 1
    said = text[: found.start()] if found else text
    more = f"\n… and {count} more updates, see the war room"
    return trimmed(said, MAX_TEXT - len(more)) + more


_MORE = re.compile(r"\n… and (\d+) more updates, see the war room$")


def _queued(connection: Connection) -> list[Queued]:
    query = (
        select(
            OUTBOX.c.id,
            OUTBOX.c.incident_id,
            OUTBOX.c.notifier,
            OUTBOX.c.channel,
            OUTBOX.c.action,
            (OUTBOX.c.text == "").label("first"),
            OUTBOX.c.claimed_ms,
            OUTBOX.c.due_ms,
        )
        .where(OUTBOX.c.state.in_(UNFINISHED), OUTBOX.c.due_ms < NEVER_MS)
        .order_by(OUTBOX.c.id)
    )
    found = list(connection.execute(query))
    known = frozenset(Action)
    for row in found:
        if row.action not in known:
            _fail_unreadable(connection, row.id, f"there is no action {row.action!r}")
    return [
        Queued(
            id=row.id,
            message=(row.incident_id, Target(notifier=row.notifier, channel=row.channel)),
            action=Action(row.action),
            first=bool(row.first),
            claimed=row.claimed_ms is not None,
            due_ms=row.due_ms,
        )
        for row in found
        if row.action in known
    ]


def _last_rung_ms(connection: Connection, notification: Notification) -> int:
    rung = OUTBOX.c.action == Action.OPEN.value
    query = select(OUTBOX.c.due_ms).where(
        _same_message(notification), rung, OUTBOX.c.due_ms < NEVER_MS
    )
    return int(connection.scalar(query.order_by(OUTBOX.c.id.desc()).limit(1)) or 0)


def _same_message(one: Notification | OutboxRow) -> ColumnElement[bool]:
    return and_(
        OUTBOX.c.incident_id == one.incident_id,
        OUTBOX.c.notifier == one.target.notifier,
        OUTBOX.c.channel == one.target.channel,
    )


def _readable(found: Iterable[RowMapping]) -> Iterator[OutboxRow]:
    for row in found:
        with contextlib.suppress(ValueError, TypeError):  # damaged, or of another version
            yield _row(row)


def _row(found: RowMapping) -> OutboxRow:
    values = dict(found)
    values |= {"action": Action(values["action"]), "state": RowState(values["state"])}
    return OutboxRow(**values)
