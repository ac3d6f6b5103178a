"""Faults of our own machine, told in one place: who meets one notes it here, and when it is over.

Whoever keeps something on a disk or in a database goes on with its duty when that fails, and says
so here. ``/health`` shows what is present, a metric counts it, and what lasts pages.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from collectors.clock import Clock, SystemClock
from collectors.redaction import without_secrets

_log = structlog.get_logger(__name__)
_MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that fails.

    Attributes:
        what: Its name, such as ``metric log``.
        place: File, directory or address.
        since_ms: When it was first met, epoch milliseconds.
        reason: What was said last.
        lost: What is lost by it, in words.
        lasting: Whether it stays as long as the process runs: what a start has set aside does.
        urgent: Whether it wakes somebody when it goes on.
    """

    what: str
    place: str
    since_ms: int
    reason: str
    lost: str
    lasting: bool = False
    urgent: bool = True


class Faults:
    """What fails now; may be used by several threads.

    Args:
        clock: The present.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._present: dict[str, Fault] = {}
        self._known: dict[str, None] = {}

    def failed(
        self,
        what: str,
        *,
        place: str,
        reason: str,
        lost: str,
        lasting: bool = False,
        urgent: bool = True,
    ) -> None:
        """Take note that something fails; the log hears of it once, until it is over."""
        with self._lock:
            before = self._present.get(what)
            since_ms = before.since_ms if before else self._clock.now_ms()
            self._known[what] = None
            self._present[what] = Fault(
                what=what,
                place=without_secrets(place),
                since_ms=since_ms,
                reason=without_secrets(reason)[:_MAX_REASON_CHARS],
                lost=lost,
                lasting=lasting,
                urgent=urgent and not lasting,
            )
        if before is None:
            _log.error("fault", what=what, place=place, reason=reason, lost=lost)

    def over(self, what: str) -> None:
        """Take note that something works; costs a look into a dictionary if it did before."""
        if what in self._present:
            with self._lock:
                gone = self._present.pop(what, None)
            if gone is not None:
                lasted_ms = self._clock.now_ms() - gone.since_ms
                _log.info("fault over", what=what, place=gone.place, lasted_ms=lasted_ms)

    def has(self, what: str) -> bool:
        """Return whether something fails now."""
        return what in self._present

    def states(self) -> dict[str, bool]:
        """Return of everything that has failed whether it does now."""
        with self._lock:
            return {what: what in self._present for what in self._known}

    def present(self) -> list[Fault]:
        """Return what fails now, the oldest first."""
        with self._lock:
            return list(self._present.values())
