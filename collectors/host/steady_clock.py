"""A clock that is not set: time goes on evenly when somebody sets the machine's.

A machine's clock is put right, or wrong, by an hour: then either the machine was wrong before, or
it is now. Nobody knows at that moment; those who send know. So time goes on as before, and the
samples that are sent tell: once they all come by the new time, it is taken over, and all that goes
by time begins again there. Whoever sends by the old time keeps it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from collectors.clock import Ticking
from collectors.host.faults import Faults

FAULT = "clock"
STEP_MS = 2_000
"""A shorter difference is the ordinary correction of a clock, and followed."""

NEAR_MS = 120_000
"""Samples this near to a time are sent by it."""

SETTLE_MS = 20_000
"""Before time is set back, all senders speak by the new time for this long."""

_log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What becomes of a step of the machine's clock."""

    HELD = "held"
    FOLLOWED = "followed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """One step: when, in the time that went on; by how much; what became of it."""

    at_ms: int
    by_ms: int
    outcome: Outcome


class Witness(Protocol):
    """Hears by which clock others stamp what they send."""

    @property
    def in_doubt(self) -> bool:
        """Whether anybody wants to know."""
        ...

    def heard(self, newest_ms: int) -> None:
        """Take note of the newest time of something that was sent."""
        ...


class SteadyClock:
    """A :class:`~collectors.clock.Clock` over the machine's; safe for many threads.

    Args:
        source: The machine's clock.
        faults: Hears of a step, until it is known what it means.

    Attributes:
        steps: How many steps there were.
        last: The newest step; None before any.
    """

    def __init__(self, source: Ticking, faults: Faults | None = None) -> None:
        self._source = source
        self._faults = faults or Faults(source)
        self._lock = threading.Lock()
        self._base_ms = source.now_ms() - source.passed_ms()
        self._ahead_ms = 0
        self._stepped_at_ms = 0
        self._by_new_ms = self._by_old_ms = -1
        self.steps = 0
        self.last: ClockStep | None = None

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the epoch, by the time that goes on."""
        wall_ms = self._source.now_ms()
        drift_ms = wall_ms - self._source.passed_ms() - self._base_ms
        if drift_ms:
            if -STEP_MS < drift_ms < STEP_MS:
                self._base_ms += drift_ms
            else:
                return self._stepped()
        return wall_ms + self._ahead_ms

    @property
    def ahead_ms(self) -> int:
        """How far the time that goes on is ahead of the machine's clock."""
        return self._ahead_ms

    @property
    def in_doubt(self) -> bool:
        """Whether the machine's clock says something else."""
        return self._ahead_ms != 0

    def heard(self, newest_ms: int) -> None:
        """Take note that somebody sent a sample of this time, stamped by a clock of theirs.

        Costs a look at a number while the machine's clock agrees. Time is set forward at once when
        the first sample comes by the new time and none came by the old: it would be refused.
        """
        if not self._ahead_ms:
            return
        wall_ms = self._source.now_ms()
        passed_ms = self._source.passed_ms()
        if abs(newest_ms - wall_ms) <= NEAR_MS < abs(newest_ms - wall_ms - self._ahead_ms):
            self._by_new_ms = passed_ms
        elif abs(newest_ms - wall_ms - self._ahead_ms) <= NEAR_MS:
            self._by_old_ms = passed_ms
        if self._ahead_ms < 0 and self._only_new(passed_ms):
            self._follow()

    def settle(self, set_back: Callable[[int], None]) -> None:
        """Take the machine's time over when all senders have for a while; called at every look.

        Args:
            set_back: Called with the new present before it is, when time is set back: what was kept
                and judged of the time that is yet to come must go.
        """
        self.now_ms()
        passed_ms = self._source.passed_ms()
        waited = passed_ms - self._stepped_at_ms >= SETTLE_MS
        if self._ahead_ms and waited and self._only_new(passed_ms):
            if self._ahead_ms > 0:
                set_back(self._source.now_ms())
            self._follow()

    def _only_new(self, passed_ms: int) -> bool:
        """Return whether samples came by the new time lately, and none by the old."""
        lately_ms = passed_ms - SETTLE_MS
        return self._by_new_ms >= lately_ms and self._by_old_ms < max(lately_ms, 0)

    def _stepped(self) -> int:
        with self._lock:
            wall_ms, passed_ms = self._source.now_ms(), self._source.passed_ms()
            drift_ms = wall_ms - passed_ms - self._base_ms
            if abs(drift_ms) >= STEP_MS:
                self._base_ms += drift_ms
                self._ahead_ms -= drift_ms
                self._stepped_at_ms = passed_ms
                self._by_new_ms = self._by_old_ms = -1
                self.steps += 1
                if abs(self._ahead_ms) < STEP_MS:
                    self._end(Outcome.UNDONE, drift_ms)
                else:
                    self._tell(drift_ms)
            return self._source.now_ms() + self._ahead_ms

    def _tell(self, drift_ms: int) -> None:
        now_ms = self._source.now_ms() + self._ahead_ms
        self.last = ClockStep(at_ms=now_ms, by_ms=drift_ms, outcome=Outcome.HELD)
        way = "forward" if drift_ms > 0 else "back"
        self._faults.failed(
            FAULT,
            place="the machine's clock",
            reason=f"it was set {way} by {abs(drift_ms) / 1_000:.0f} s",
            lost=(
                "nothing that is sent by the time before, which goes on; what is sent by the new "
                "time is taken over once nobody sends by the old"
            ),
            urgent=False,
        )

    def _follow(self) -> None:
        with self._lock:
            by_ms, self._ahead_ms = -self._ahead_ms, 0
            if by_ms:
                self._end(Outcome.FOLLOWED, by_ms)

    def _end(self, outcome: Outcome, by_ms: int) -> None:
        now_ms = self._source.now_ms() + self._ahead_ms
        self.last = ClockStep(at_ms=now_ms, by_ms=by_ms, outcome=outcome)
        _log.warning("clock step", outcome=outcome.value, by_ms=by_ms)
        self._faults.over(FAULT)
