"""Whether a page would reach people now: what is not well of those that have to bring it."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from collectors.host.faults import Faults
from runbooks.incidents.database import DATABASE
from runbooks.paging.outbox import Outbox

PAGE_LATE_MS = 120_000
"""A page that waits for longer than this, and that nobody has in hand, is late."""

TURN_LATE_MS = 30_000
_MIN_STEPS = 3


class VitalSigns:
    """Remembers when each part last took a turn; may be used by several threads.

    Args:
        outbox: Where pages wait.
        faults: Knows whether the database fails.
    """

    def __init__(self, outbox: Outbox, faults: Faults) -> None:
        self._outbox = outbox
        self._faults = faults
        self.judged_ms: int | None = None
        self.taken_in_ms: int | None = None
        self.delivered_ms: int | None = None

    def wrong(self, now_ms: int, step_ms: int) -> list[str]:
        """Return what is not well, in words; nothing if all is.

        Args:
            now_ms: The present.
            step_ms: How often rules are judged.
        """
        found = [
            *_late("no step is judged", self.judged_ms, now_ms, _MIN_STEPS * step_ms),
            *_late("the desk takes nothing in", self.taken_in_ms, now_ms, TURN_LATE_MS),
            *_late("nothing is delivered", self.delivered_ms, now_ms, TURN_LATE_MS),
        ]
        if self._faults.has(DATABASE):
            found.append("the incident database fails")
            return found
        try:
            waiting = len(self._outbox.pages_waiting(now_ms - PAGE_LATE_MS))
        except SQLAlchemyError:
            return [*found, "the incident database can't be read"]
        return [*found, f"{waiting} pages wait for minutes"] if waiting else found


def _late(what: str, last_ms: int | None, now_ms: int, limit_ms: int) -> list[str]:
    if last_ms is None:
        return [f"{what} yet"]
    late_ms = now_ms - last_ms
    return [f"{what} for {late_ms // 1_000} s"] if late_ms > max(limit_ms, TURN_LATE_MS) else []
