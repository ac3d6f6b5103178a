"""A bound on the requests that a receiver works on at one time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.errors import OverloadedError
from collectors.receivers.limits import ReceiverLimits


class Gate:
    """Lets at most ``limits.max_in_flight`` requests through; the rest are told to come back.

    >>> gate = Gate(ReceiverLimits(max_in_flight=1))
    >>> with gate.enter():
    ...     gate.in_flight
    1
    """

    def __init__(self, limits: ReceiverLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.in_flight = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold a place; raise :class:`OverloadedError` at once when all are taken."""
        with self._lock:
            if self.in_flight >= self._limits.max_in_flight:
                raise OverloadedError(
                    f"{self.in_flight} requests are in work already, try again later",
                    retry_after_s=self._limits.retry_after_s,
                )
            self.in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self.in_flight -= 1
