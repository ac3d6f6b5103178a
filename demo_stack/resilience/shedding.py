"""Load shedding by priority: what viewers would not miss goes first.

Every request has a priority from 1 (starting a stream) to 100 (a log line). The higher the
overload, the lower the priority number up to which requests are let in; the curve is cubic, so
that a mild overload costs only the least important ones (Netflix Technology Blog, "Keeping Netflix
Reliable Using Prioritized Load Shedding", 2020).
"""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """How much a viewer would miss a request; a lower number is more important."""

    CRITICAL = 10
    DEGRADED = 50
    NON_CRITICAL = 90


def admitted_up_to(overload: float) -> float:
    """Return the highest priority number that is let in.

    Args:
        overload: Utilisation beyond the target, 0 (none) to 1 (everything is lost).

    >>> [round(admitted_up_to(overload)) for overload in (0.0, 0.35, 0.8, 0.95, 1.0)]
    [100, 96, 49, 14, 0]
    """
    clamped = max(0.0, min(1.0, overload))
    return 100.0 * (1.0 - clamped**3)


class Shedder:
    """Sheds load when too many requests are in flight.

    Args:
        target: Requests in flight that are still comfortable.
        limit: Requests in flight at which nothing more is let in.
    """

    def __init__(self, target: int, limit: int) -> None:
        self._target = target
        self._limit = limit
        self.inflight = 0

    @property
    def overload(self) -> float:
        """How far in-flight requests are beyond the comfortable number, 0 to 1."""
        return max(0.0, min(1.0, (self.inflight - self._target) / (self._limit - self._target)))

    def admits(self, priority: Priority) -> bool:
        """Return whether a request of this priority is let in now."""
        return priority <= admitted_up_to(self.overload)
