"""When a request was accepted that comes from another process, which may have kept it for hours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from collectors.clock import Clock

_accepted_ms: ContextVar[int | None] = ContextVar("accepted_ms", default=None)


@contextmanager
def accepted_at(time_ms: int) -> Iterator[None]:
    """Have receivers judge what comes within by the time at which it was accepted elsewhere."""
    token = _accepted_ms.set(time_ms)
    try:
        yield
    finally:
        _accepted_ms.reset(token)


class AcceptedClock:
    """The present, or when the request at hand was accepted.

    >>> from collectors.clock import ManualClock
    >>> clock = AcceptedClock(ManualClock(1_000))
    >>> with accepted_at(400):
    ...     clock.now_ms()
    400
    >>> clock.now_ms()
    1000
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        """Return the time, in milliseconds since the epoch."""
        time_ms = _accepted_ms.get()
        return self._clock.now_ms() if time_ms is None else time_ms
