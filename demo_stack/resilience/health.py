"""Successes and errors of the last ten seconds, in buckets that count only once complete."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from demo_stack.resilience.events import HEALTH_EVENTS, Event


@dataclass(frozen=True, slots=True)
class HealthCounts:
    """Health over the window.

    Attributes:
        total: Executions that count.
        errors: Those of them that did not succeed.
    """

    total: int = 0
    errors: int = 0

    @property
    def error_percentage(self) -> int:
        """Errors in percent, truncated as in Hystrix; 0 when nothing was executed."""
        return self.errors * 100 // self.total if self.total else 0


class HealthWindow:
    """A rolling window, as ``HealthCountsStream``.

    Args:
        now_ms: When it begins; buckets end at multiples of their length from here.
        window_ms: Length of the window.
        bucket_ms: Length of a bucket.
    """

    def __init__(self, now_ms: int, *, window_ms: int, bucket_ms: int) -> None:
        self._bucket_ms = bucket_ms
        self._buckets: deque[HealthCounts] = deque(maxlen=window_ms // bucket_ms)
        self._open = HealthCounts()
        self._next_tick_ms = now_ms + bucket_ms

    def record(self, event: Event) -> None:
        """Count an event in the bucket that is still open."""
        if event in HEALTH_EVENTS:
            errors = self._open.errors + (event is not Event.SUCCESS)
            self._open = HealthCounts(self._open.total + 1, errors)

    def ticks(self, now_ms: int) -> Iterator[tuple[int, HealthCounts]]:
        """Complete the buckets whose time is over.

        Yields:
            The time of each tick since the last call, and the window's counts at that tick.
        """
        while self._next_tick_ms <= now_ms:
            if self._open.total == 0 and self.counts().total == 0:
                # Silence: the ticks up to now could only see an empty window.
                missed = (now_ms - self._next_tick_ms) // self._bucket_ms
                self._next_tick_ms += missed * self._bucket_ms
            self._buckets.append(self._open)
            self._open = HealthCounts()
            tick_ms = self._next_tick_ms
            self._next_tick_ms += self._bucket_ms
            yield tick_ms, self.counts()

    def counts(self) -> HealthCounts:
        """Return the counts of all complete buckets of the window."""
        return HealthCounts(
            sum(bucket.total for bucket in self._buckets),
            sum(bucket.errors for bucket in self._buckets),
        )

    def reset(self, now_ms: int) -> None:
        """Forget everything and begin again at ``now_ms``."""
        self._buckets.clear()
        self._open = HealthCounts()
        self._next_tick_ms = now_ms + self._bucket_ms
