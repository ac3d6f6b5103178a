"""Time as a dependency: everything that needs the present asks a :class:`Clock`."""

from __future__ import annotations

import time
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """The present, in epoch milliseconds."""

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the epoch."""
        ...


class Ticking(Clock, Protocol):
    """A clock that also says how much time passes, whatever its hands are set to."""

    def passed_ms(self) -> int:
        """Return milliseconds since some moment; it never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def passed_ms(self) -> int:
        """Return milliseconds since the machine started, those asleep among them."""
        return time.clock_gettime_ns(_STEADY) // 1_000_000


class ManualClock:
    """A clock that moves only when told to; for tests and replays.

    >>> clock = ManualClock(1_000)
    >>> clock.advance_ms(500)
    >>> clock.now_ms(), clock.passed_ms()
    (1500, 1500)
    >>> clock.jump_ms(-1_000)
    >>> clock.now_ms(), clock.passed_ms()
    (500, 1500)
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._passed_ms = now_ms

    def now_ms(self) -> int:
        """Return the time last set."""
        return self._now_ms

    def passed_ms(self) -> int:
        """Return the time that would be without jumps."""
        return self._passed_ms

    def advance_ms(self, delta_ms: int) -> None:
        """Move forward by ``delta_ms``."""
        self._now_ms += delta_ms
        self._passed_ms += delta_ms

    def set_ms(self, now_ms: int) -> None:
        """Let time pass until ``now_ms``."""
        self.advance_ms(now_ms - self._now_ms)

    def jump_ms(self, delta_ms: int) -> None:
        """Set the hands forward or back, as somebody does who sets a machine's clock."""
        self._now_ms += delta_ms
