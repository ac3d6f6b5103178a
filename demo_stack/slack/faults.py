"""Fault switches: the ways in which Slack fails its clients, armed for the next calls."""

from __future__ import annotations

from collections import deque
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong with one call.

    ``LOSE_REQUEST`` reads the request and drops the connection without doing anything;
    ``LOSE_REPLY`` does the work and drops the connection before answering, which a client can't
    tell apart from the former; ``ERROR_500`` answers 500; ``RATE_LIMIT`` answers 429.
    """

    LOSE_REQUEST = "lose_request"
    LOSE_REPLY = "lose_reply"
    ERROR_500 = "error_500"
    RATE_LIMIT = "rate_limit"


class Faults:
    """A queue of faults by method; each is used once."""

    def __init__(self) -> None:
        self._armed: dict[str, deque[Fault]] = {}

    def arm(self, method: str, fault: Fault, times: int = 1) -> None:
        """Let the next ``times`` calls of ``method`` fail in the way of ``fault``."""
        self._armed.setdefault(method, deque()).extend([fault] * times)

    def next(self, method: str) -> Fault | None:
        """Take the fault meant for this call of ``method``, if any."""
        queue = self._armed.get(method)
        return queue.popleft() if queue else None
