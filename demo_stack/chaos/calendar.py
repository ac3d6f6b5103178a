"""The platform's calendar: an hour of it passes in a minute, and its first day is a Monday."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from demo_stack.world.layout import DAY_S

SECONDS_A_DAY = 86_400.0
SPEED = SECONDS_A_DAY / DAY_S
"""Seconds of the calendar in a second: it keeps pace with the viewers' rhythm."""

FIRST_MORNING = datetime(2026, 1, 5, 8, 58, tzinfo=UTC)
"""A Monday, two minutes before people come to work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedCalendar:
    """Turns seconds that pass into dates.

    Attributes:
        first: The date at the beginning.
        speed: Seconds of the calendar in a second.
        now_s: The present, monotonic, in seconds.
        since_s: The beginning on that clock.

    >>> calendar = CompressedCalendar(now_s=lambda: 60.0, since_s=0.0)
    >>> calendar.now().hour, calendar.seconds_until(calendar.now() + timedelta(hours=2))
    (9, 120.0)
    """

    first: datetime = FIRST_MORNING
    speed: float = SPEED
    now_s: Callable[[], float] = time.monotonic
    since_s: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return the date."""
        return self.first + timedelta(seconds=(self.now_s() - self.since_s) * self.speed)

    def seconds_until(self, moment: datetime) -> float:
        """Return the seconds until ``moment``; below 0 when it has passed."""
        return (moment - self.now()).total_seconds() / self.speed
