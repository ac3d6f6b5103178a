"""Time as a dependency: everything that needs the present asks a :class:`Clock`."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The present, in epoch milliseconds."""

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told to; for tests and replays.

    >>> clock = ManualClock(1_000)
    >>> clock.advance_ms(500)
    >>> clock.now_ms()
    1500
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time last set."""
        return self._now_ms

    def advance_ms(self, delta_ms: int) -> None:
        """Move forward by ``delta_ms``."""
        self._now_ms += delta_ms

    def set_ms(self, now_ms: int) -> None:
        """Jump to ``now_ms``."""
        self._now_ms = now_ms
