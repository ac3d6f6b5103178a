"""The circuit breaker of Hystrix 1.5.18 (``HystrixCircuitBreakerImpl``), step for step.

CLOSED → OPEN happens only on a tick of the health stream, when the window holds at least the
volume threshold and the error percentage is at least its threshold. OPEN → HALF_OPEN happens when
more than the sleep window has passed and a caller wins the one probe. The probe's outcome decides:
success closes the circuit and empties the window, anything else opens it again, even a bad request.
"""

from __future__ import annotations

from enum import StrEnum

from demo_stack.resilience.events import CommandSettings, Event
from demo_stack.resilience.health import HealthCounts, HealthWindow


class State(StrEnum):
    """State of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """Decides whether an execution may be tried.

    Args:
        settings: Thresholds and windows.
        now_ms: The present.
    """

    def __init__(self, settings: CommandSettings, now_ms: int) -> None:
        self._settings = settings
        self._state = State.CLOSED
        self._opened_ms = 0
        self._health = HealthWindow(
            now_ms, window_ms=settings.window_ms, bucket_ms=settings.snapshot_ms
        )

    def state(self, now_ms: int) -> State:
        """Return the state after every tick up to now."""
        self._tick(now_ms)
        return self._state

    def is_open(self, now_ms: int) -> bool:
        """Return whether the circuit counts as open; half-open does."""
        if self._settings.force_open or self._settings.force_closed:
            return self._settings.force_open
        return self.state(now_ms) is not State.CLOSED

    def health(self, now_ms: int) -> HealthCounts:
        """Return the counts of the complete buckets."""
        self._tick(now_ms)
        return self._health.counts()

    def attempt(self, now_ms: int) -> bool:
        """Return whether an execution may run; it may be the probe of a half-open circuit."""
        self._tick(now_ms)
        if self._settings.force_open:
            return False
        if self._settings.force_closed or self._state is State.CLOSED:
            return True
        slept = now_ms > self._opened_ms + self._settings.sleep_window_ms
        if self._state is State.OPEN and slept:
            self._state = State.HALF_OPEN
            return True
        return False

    def record(self, event: Event, now_ms: int) -> None:
        """Count what happened to an execution."""
        self._tick(now_ms)
        self._health.record(event)

    def mark_success(self, now_ms: int) -> None:
        """Say that an execution succeeded; closes the circuit when it was the probe."""
        if self._state is State.HALF_OPEN:
            self._state = State.CLOSED
            self._health.reset(now_ms)

    def mark_non_success(self, now_ms: int) -> None:
        """Say that it did not, in whatever way; reopens the circuit when it was the probe."""
        if self._state is State.HALF_OPEN:
            self._state = State.OPEN
            self._opened_ms = now_ms

    def _tick(self, now_ms: int) -> None:
        for tick_ms, health in self._health.ticks(now_ms):
            if self._state is State.CLOSED and self._is_unhealthy(health):
                self._state = State.OPEN
                self._opened_ms = tick_ms

    def _is_unhealthy(self, health: HealthCounts) -> bool:
        return (
            health.total >= self._settings.request_volume_threshold
            and health.error_percentage >= self._settings.error_threshold_percentage
        )
