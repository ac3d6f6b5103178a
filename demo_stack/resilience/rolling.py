"""What the dashboard shows of the last seconds: counts, latencies and the most at once.

As in Hystrix 1.5, a bucket counts only once it is complete.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from demo_stack.resilience.events import Event

T = TypeVar("T")

PERCENTILES = (0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 100.0)
VALUES = 100
"""Latencies kept of a bucket; the newest push out the oldest."""


class Rolling(Generic[T]):
    """Buckets of one length, the open one and the last complete ones.

    Args:
        empty: Makes a bucket.
        now_ms: When the first begins.
        bucket_ms: Length of a bucket.
        buckets: How many complete ones are kept.
    """

    def __init__(
        self, empty: Callable[[], T], now_ms: int, *, bucket_ms: int, buckets: int
    ) -> None:
        self._empty = empty
        self._bucket_ms = bucket_ms
        self._open, self._ends_ms = empty(), now_ms + bucket_ms
        self._complete: deque[T] = deque(maxlen=buckets)

    def open(self, now_ms: int) -> T:
        """Return the bucket that ``now_ms`` lies in."""
        over = (now_ms - self._ends_ms) // self._bucket_ms + 1
        if over > 0:
            self._complete.append(self._open)
            missed = min(over - 1, self._complete.maxlen or 0)
            self._complete.extend(self._empty() for _ in range(missed))
            self._open = self._empty()
            self._ends_ms += over * self._bucket_ms
        return self._open

    def complete(self, now_ms: int) -> Sequence[T]:
        """Return the complete buckets, the oldest first."""
        self.open(now_ms)
        return self._complete


class CommandStatistics:
    """What one command did lately; windows as in ``HystrixCommandProperties``.

    Args:
        now_ms: The present.
    """

    def __init__(self, now_ms: int) -> None:
        self._events = Rolling[Counter[Event]](Counter, now_ms, bucket_ms=1_000, buckets=10)
        self._most = Rolling[list[int]](list, now_ms, bucket_ms=1_000, buckets=10)
        self._execute = Rolling(_latencies, now_ms, bucket_ms=10_000, buckets=6)
        self._total = Rolling(_latencies, now_ms, bucket_ms=10_000, buckets=6)

    def happened(self, event: Event, now_ms: int) -> None:
        """Count an event."""
        self._events.open(now_ms)[event] += 1

    def began(self, running: int, now_ms: int) -> None:
        """Note that so many executions run at once."""
        most = self._most.open(now_ms)
        most[:] = [max([running, *most])]

    def ran(self, ms: int, now_ms: int) -> None:
        """Note how long an execution took that was neither rejected nor short-circuited."""
        self._execute.open(now_ms).append(ms)

    def answered(self, ms: int, now_ms: int) -> None:
        """Note how long the caller waited in all, for whatever answer."""
        self._total.open(now_ms).append(ms)

    def counts(self, now_ms: int) -> Counter[Event]:
        """Return how often each event happened in the last ten seconds."""
        return sum(self._events.complete(now_ms), Counter())

    def most_at_once(self, now_ms: int) -> int:
        """Return the most executions at once in the last ten seconds."""
        return max((most[0] for most in self._most.complete(now_ms) if most), default=0)

    def execution(self, now_ms: int) -> list[int]:
        """Return how long executions of the last minute took, in milliseconds, ascending."""
        return _sorted(self._execute.complete(now_ms))

    def waiting(self, now_ms: int) -> list[int]:
        """Return how long callers of the last minute waited, in milliseconds, ascending."""
        return _sorted(self._total.complete(now_ms))


def percentile(ascending: Sequence[int], percent: float) -> int:
    """Return a percentile by nearest rank; 0 of nothing.

    >>> [percentile([1, 2, 3, 4], percent) for percent in (0, 50, 75, 100)]
    [1, 2, 3, 4]
    """
    if not ascending:
        return 0
    return ascending[max(0, math.ceil(percent / 100 * len(ascending)) - 1)]


def _latencies() -> deque[int]:
    return deque(maxlen=VALUES)


def _sorted(buckets: Sequence[deque[int]]) -> list[int]:
    return sorted(ms for bucket in buckets for ms in bucket)
