"""A bound on the requests, and on their bytes, that a receiver works on at one time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.errors import OverloadedError
from collectors.limits import Limits


class Gate:
    """Lets a bounded number of requests and bytes in; the rest are told to come back.

    >>> gate = Gate(Limits(max_in_flight=1))
    >>> with gate.enter() as place:
    ...     place.hold(1_000)
    ...     gate.in_flight, gate.bytes_held
    (1, 1000)
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.in_flight = 0
        self.bytes_held = 0

    @contextmanager
    def enter(self) -> Iterator[Place]:
        """Hold a place; raise :class:`OverloadedError` at once when all are taken."""
        with self._lock:
            if self.in_flight >= self._limits.max_in_flight:
                raise self._overloaded(f"{self.in_flight} requests are in work already")
            self.in_flight += 1
        place = Place(self)
        try:
            yield place
        finally:
            with self._lock:
                self.in_flight -= 1
                self.bytes_held -= place.held

    def take(self, count: int) -> None:
        """Account for ``count`` more bytes; raise :class:`OverloadedError` above the bound."""
        with self._lock:
            if self.bytes_held + count > self._limits.max_in_flight_bytes:
                raise self._overloaded(f"{self.bytes_held} bytes are in work already")
            self.bytes_held += count

    def _overloaded(self, what: str) -> OverloadedError:
        return OverloadedError(f"{what}, try again later", retry_after_s=self._limits.retry_after_s)


class Place:
    """One request's place; its bytes are given back when it leaves."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.held = 0

    def hold(self, count: int) -> None:
        """Account for ``count`` more bytes; raise :class:`OverloadedError` above the bound."""
        self._gate.take(count)
        self.held += count
