"""What a press of a button does to an incident; each press once."""

from __future__ import annotations

from collections import deque

import structlog
from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import IntegrityError

from collectors.clock import Clock
from collectors.errors import ConflictError, NotFoundError
from runbooks.incidents.commands import Acknowledge, Command, Note, SetStatus
from runbooks.incidents.schema import INTERACTIONS
from runbooks.incidents.states import Status
from runbooks.ledger import Ledger
from runbooks.notifiers.slack_interactions import Press
from runbooks.notifiers.slack_layout import ACKNOWLEDGE

KEPT_MS = 24 * 3_600_000
log = structlog.get_logger(__name__)


class Buttons:
    """Queues presses, so that Slack is answered at once, and carries them out.

    Args:
        ledger: Where incidents are.
        engine: The incident database, which remembers what was pressed.
        clock: The present.
    """

    def __init__(self, ledger: Ledger, engine: Engine, clock: Clock) -> None:
        self._ledger = ledger
        self._engine = engine
        self._clock = clock
        self._waiting: deque[Press] = deque(maxlen=1_000)

    def queue(self, press: Press) -> None:
        """Take a press; returns at once."""
        self._waiting.append(press)

    def carry_out(self) -> None:
        """Carry out what waits."""
        while self._waiting:
            press = self._waiting.popleft()
            if self._is_new(press):
                self._apply(press)

    def _apply(self, press: Press) -> None:
        command: Command = SetStatus(
            status=Status.RESOLVED, actor=press.user, text="with Slack's button"
        )
        if press.action_id == ACKNOWLEDGE:
            command = Acknowledge(actor=press.user)
        try:
            self._ledger.execute(press.incident_id, command)
        except ConflictError as error:
            # Whoever pressed a button of an outdated message is told why nothing changed.
            note = f"{press.user} pressed {press.action_id}: {error.message}"
            self._ledger.execute(press.incident_id, Note(actor=press.user, text=note))
        except NotFoundError:
            log.warning("press for an unknown incident", incident=press.incident_id)

    def _is_new(self, press: Press) -> bool:
        """Remember ``press``; return whether it was not known before."""
        now_ms = self._clock.now_ms()
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    delete(INTERACTIONS).where(INTERACTIONS.c.time_ms < now_ms - KEPT_MS)
                )
                connection.execute(insert(INTERACTIONS).values(key=press.key, time_ms=now_ms))
        except IntegrityError:
            return False
        return True
