"""What becomes of pages: on their incident's record, and told where a way to people fails."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from anomaly.findings import Finding
from collectors.clock import Clock
from runbooks.desk.ledger import Ledger
from runbooks.desk.notices import is_notice
from runbooks.incidents.commands import RecordPage
from runbooks.incidents.events import EventKind
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import Outbox, OutboxRow, RowState
from runbooks.paging.routing import Target
from runbooks.paging.ways import Ways, name_of, next_way

_log = structlog.get_logger(__name__)


class Arrivals:
    """Hears of every page that arrived, and of every one that did not.

    Args:
        ledger: Where incidents are.
        outbox: Where pages are.
        ways: Remembers which ways fail.
        receive: Takes what is found about ourselves.
        clock: The present.

    Attributes:
        fallbacks: Ways that a page takes when its own fails, in order.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        ways: Ways,
        receive: Callable[[Finding], None],
        clock: Clock,
    ) -> None:
        self.fallbacks: tuple[Target, ...] = ()
        self._ledger = ledger
        self._outbox = outbox
        self._ways = ways
        self._receive = receive
        self._clock = clock

    def fall_over(self, row: OutboxRow, reason: str) -> None:
        """Let a page take the next way, and say that its own way fails."""
        now_ms = self._clock.now_ms()
        found = self._ways.failed(row.target, reason, now_ms)
        instead = next_way(row.target, self.fallbacks)
        told = f"{name_of(row.target)} did not take this page: {reason}"
        if instead is not None:
            self._outbox.fall_over(row, instead, told, now_ms)
        way = "there is no other way" if instead is None else f"{name_of(instead)} is told instead"
        _log.error("page not delivered", incident=row.incident_id, reason=reason, way=way)
        command = RecordPage(
            notifier=row.notifier,
            channel=row.channel,
            outbox_id=row.id,
            failure=f"{reason}; {way}",
        )
        if not is_notice(row.incident_id):
            self._ledger.execute(row.incident_id, command)
        if found is not None:
            self._receive(found)

    def report(self, row: OutboxRow, state: RowState, reason: str) -> None:
        """Put pages, and everything that finally failed, on the incident's record."""
        if state is RowState.SENT:
            ended = self._ways.worked(row.target, self._clock.now_ms())
            if ended is not None:
                self._receive(ended)
            if row.action is not Action.OPEN:
                return
        if is_notice(row.incident_id):
            return
        if row.state is RowState.UNKNOWN and self._is_recorded(row):
            return
        failure = "" if state is RowState.SENT else f"{row.action} {state}: {reason}"
        command = RecordPage(
            notifier=row.notifier, channel=row.channel, outbox_id=row.id, failure=failure
        )
        self._ledger.execute(row.incident_id, command)

    def _is_recorded(self, row: OutboxRow) -> bool:
        """Whether a process that died after it had recorded a page had sent it."""
        return any(
            event.kind is EventKind.PAGED and event.data.get("outbox_id") == row.id
            for event in self._ledger.events(row.incident_id)
        )
