"""The courier: carries what is due in the outbox to the notifiers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import structlog

from collectors.errors import InputError
from collectors.redaction import without_secrets
from runbooks.notifiers.card import Card
from runbooks.notifiers.delivery import (
    Action,
    ClosedWayError,
    DelayedError,
    Delivery,
    MessageGoneError,
    NotDeliveredError,
    Notifier,
    PartlyDeliveredError,
    RateLimitedError,
    UncertainError,
)
from runbooks.notifiers.registry import notifiers
from runbooks.paging.order import Hold, hold_of
from runbooks.paging.outbox import Outbox, OutboxRow, RowState
from runbooks.paging.pacing import Pacing

MAX_AGE_MS = 6 * 3_600_000
"""A page that could not be delivered for this long is given up."""

FALL_OVER_MS = 30_000
"""A page that is delayed for this long takes the next way too; one that is refused does at once."""

LOOK_AFTER_MS = 1_000
"""How long to wait before looking for a message whose reply was lost: it may be on its way."""

MAX_BACKOFF_MS = 60_000
STALE_MS = 60_000
"""A line that waited for longer takes all that wait for the same thread along: no flood of them."""

REFUSED_AGAIN_MS = 5_000
"""How long to wait at least before a page that was refused is tried again."""

MIN_HOLD_MS = 1_000
BATCH = 50

_log = structlog.get_logger(__name__)
CardReader = Callable[[str], Card]
Report = Callable[[OutboxRow, RowState, str], None]
"""Called when a row is done: the row, its final state and the reason."""

FallOver = Callable[[OutboxRow, str], None]
"""Called once for each page that its way does not take: the row and the reason."""


class Courier:
    """Takes rows one by one.

    Args:
        outbox: Where the rows are.
        notifiers: By the name that routes use.
        card: Draws an incident as it is now.
        report: Told of every row that is done.
        fall_over: Told of every page that its way does not take.
    """

    def __init__(
        self,
        outbox: Outbox,
        notifiers: Mapping[str, Notifier],
        card: CardReader,
        report: Report,
        fall_over: FallOver,
    ) -> None:
        self._outbox = outbox
        self._notifiers = notifiers
        self._card = card
        self._report = report
        self._fall_over = fall_over
        self._fallen: set[int] = set()
        self._holds: dict[Hold, int] = {}
        self._pacing = Pacing()
        self._newest = False

    def deliver_due(self, now_ms: Callable[[], int]) -> int:
        """Deliver what is due, up to a batch; return how many rows were taken."""
        self._leave_waiting(now_ms())
        for taken in range(BATCH):
            holds = self._holding(now_ms())
            self._newest = not self._newest
            row = self._outbox.claim(now_ms(), holds, newest=self._newest)
            if row is None:
                return taken
            self._pace(row, now_ms())
            self._carry(row, now_ms)
        return BATCH

    def _holding(self, now_ms: int) -> Collection[Hold]:
        """Return what has to wait; pages that wait for too long take the next way too."""
        self._holds = {hold: until for hold, until in self._holds.items() if until > now_ms}
        if self._holds:
            self._leave_waiting(now_ms)
        return [*self._holds, *self._pacing.holds(now_ms)]

    def _pace(self, row: OutboxRow, now_ms: int) -> None:
        kind = notifiers().get(row.notifier)
        if kind is None:
            return
        pace = kind.edits if row.action is Action.EDIT else kind.messages
        if pace is not None:
            self._pacing.take(row.target, row.action, pace, now_ms)

    def _leave_waiting(self, now_ms: int) -> None:
        for row in self._outbox.pages_waiting(now_ms - FALL_OVER_MS):
            held = any(hold.covers(row.target, row.action) for hold in self._holds)
            if held or row.state is RowState.UNKNOWN:
                self._take_next_way(row, row.reason or "its way limits the rate")

    def _carry(self, row: OutboxRow, now_ms: Callable[[], int]) -> None:
        notifier = self._notifiers.get(row.notifier)
        if notifier is None:
            known = ", ".join(sorted(self._notifiers)) or "none"
            reason = f"no notifier {row.notifier!r}; {known}"
            if row.action is Action.OPEN:
                self._take_next_way(row, reason)
            self._done(row, RowState.FAILED, now_ms(), reason)
            return
        reference = ""
        if row.action is not Action.OPEN:
            reference = row.reference or next(iter(self._outbox.references(row)), "")
        if row.action is not Action.OPEN and not reference:
            reason = "the incident's message was never posted there"
            self._done(row, RowState.FAILED, now_ms(), reason)
            return
        earlier = [ref for ref in self._outbox.references(row) if ref != reference]
        if row.action is Action.REPLY and now_ms() - row.created_ms > STALE_MS:
            row = self._outbox.gather(row, now_ms())
        delivery = _delivery(row, self._card(row.incident_id), reference, earlier)
        try:
            self._deliver(row, notifier, delivery, now_ms)
        except Exception as error:  # noqa: BLE001 - a defect must not stop the others' pages
            _log.exception("notifier failed", notifier=row.notifier, outbox_id=row.id)
            self._again(row, RowState.UNKNOWN, now_ms(), repr(error), LOOK_AFTER_MS)

    def _deliver(
        self,
        row: OutboxRow,
        notifier: Notifier,
        delivery: Delivery,
        now_ms: Callable[[], int],
    ) -> None:
        try:
            found = _look(notifier, delivery) if row.state is RowState.UNKNOWN else None
            reference = found or notifier.deliver(delivery)
        except PartlyDeliveredError as error:
            self._done(row, RowState.SENT, now_ms(), error.message, error.reference)
            self._take_next_way(row, error.message)
            self._fallen.discard(row.id)
        except MessageGoneError as error:
            self._outbox.post_again(row, now_ms(), f"{error.message}; posted again")
        except NotDeliveredError as error:
            again = row.action is Action.OPEN or isinstance(error, ClosedWayError)
            self._refused(row, error.message, now_ms(), again=again)
        except RateLimitedError as error:
            until_ms = now_ms() + max(MIN_HOLD_MS, int(error.retry_after_s * 1000))
            self._holds[hold_of(row.target, row.action)] = until_ms
            self._outbox.release(row, error.message)
        except DelayedError as error:
            wait_ms = max(int(error.retry_after_s * 1000), _backoff_ms(row.attempts))
            state = row.state if delivery.action is not Action.EDIT else RowState.PENDING
            self._again(row, state, now_ms(), error.message, wait_ms)
        except UncertainError as error:
            wait_ms = max(LOOK_AFTER_MS, int(error.late_s * 1000), _backoff_ms(row.attempts))
            looked_for = delivery.reference
            self._again(row, RowState.UNKNOWN, now_ms(), error.message, wait_ms, looked_for)
        else:
            reason = "found where it was thought lost" if found else ""
            self._done(row, RowState.SENT, now_ms(), reason, reference)

    def _refused(self, row: OutboxRow, reason: str, now_ms: int, *, again: bool) -> None:
        """Try it again later: a channel comes back, an app is invited, a token renewed."""
        if not again:
            self._done(row, RowState.FAILED, now_ms, reason)
            return
        if row.action is Action.OPEN:
            self._take_next_way(row, reason)
        wait_ms = max(REFUSED_AGAIN_MS, _backoff_ms(row.attempts))
        self._again(row, RowState.PENDING, now_ms, reason, wait_ms)

    def _take_next_way(self, row: OutboxRow, reason: str) -> None:
        reason = without_secrets(reason)
        if row.id not in self._fallen:
            self._fallen.add(row.id)
            self._fall_over(row, reason)

    def _again(
        self,
        row: OutboxRow,
        state: RowState,
        now_ms: int,
        reason: str,
        wait_ms: int,
        reference: str = "",
    ) -> None:
        if now_ms - row.created_ms > MAX_AGE_MS:
            final = RowState.UNKNOWN if state is RowState.UNKNOWN else RowState.FAILED
            self._done(row, final, now_ms, f"given up: {reason}")
        else:
            if row.action is Action.OPEN and now_ms - row.created_ms >= FALL_OVER_MS:
                self._take_next_way(row, reason)
            _log.warning("notification delayed", outbox_id=row.id, reason=reason, wait_ms=wait_ms)
            self._outbox.retry(row, state, now_ms + wait_ms, reason, reference)

    def _done(
        self, row: OutboxRow, state: RowState, now_ms: int, reason: str, reference: str = ""
    ) -> None:
        self._fallen.discard(row.id)
        reason = without_secrets(reason)
        # Told before it is done: a process killed in between finds it claimed, looks, and tells it
        # once more, which the incident knows already. The other way round it would never be told.
        try:
            self._report(row, state, reason)
        except InputError as error:  # an incident that is not there: no reason to page again
            _log.error("page not recorded", outbox_id=row.id, reason=error.message)
        self._outbox.finish(row, state, now_ms, reason=reason, reference=reference)


def _delivery(
    row: OutboxRow, card: Card, reference: str, earlier: Collection[str] = ()
) -> Delivery:
    return Delivery(
        outbox_id=row.id,
        action=row.action,
        channel=row.channel,
        card=card,
        text=row.text,
        reference=reference,
        created_ms=row.created_ms,
        earlier=tuple(earlier),
    )


def _look(notifier: Notifier, delivery: Delivery) -> str | None:
    """Look whether ``delivery`` has arrived; where looking is forbidden, it can't be told."""
    try:
        return notifier.find(delivery)
    except RateLimitedError as error:
        raise DelayedError(error.message, retry_after_s=error.retry_after_s) from error
    except NotDeliveredError as error:
        reason = f"can't tell whether it arrived: {error.message}"
        raise DelayedError(reason, retry_after_s=MAX_BACKOFF_MS / 1000) from error


def _backoff_ms(attempts: int) -> int:
    return min(MAX_BACKOFF_MS, int(500 * 2 ** min(attempts, 10)))
