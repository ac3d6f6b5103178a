"""Fault switches: the ways in which Slack fails its clients, for the next calls or until mended."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERY_METHOD = "*"


class Fault(StrEnum):
    """What goes wrong with one call.

    ``LOSE_REQUEST`` reads the request and drops the connection without doing anything;
    ``LOSE_REPLY`` does the work and drops the connection before answering, which a client can't
    tell apart from the former; ``ERROR_500`` answers 500; ``RATE_LIMIT`` answers 429; ``LATE`` does
    the work only when :meth:`Faults.release` is called, as a proxy does that holds a request.
    """

    LOSE_REQUEST = "lose_request"
    LOSE_REPLY = "lose_reply"
    ERROR_500 = "error_500"
    RATE_LIMIT = "rate_limit"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is given without doing anything: Slack's own, or that of what is before it."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, code: str) -> Answer:
        """Return Slack's answer that something is wrong."""
        return cls(body=f'{{"ok": false, "error": "{code}"}}')


class Faults:
    """A queue of faults by method, each used once, and faults that stay until they are mended."""

    def __init__(self) -> None:
        self._armed: dict[str, deque[Fault | Answer]] = {}
        self._standing: dict[str, Fault | Answer] = {}
        self.released = threading.Event()

    def arm(self, method: str, fault: Fault | Answer, times: int = 1) -> None:
        """Let the next ``times`` calls of ``method`` fail in the way of ``fault``."""
        self._armed.setdefault(method, deque()).extend([fault] * times)

    def stand(self, fault: Fault | Answer, method: str = EVERY_METHOD) -> None:
        """Let all calls of ``method`` fail until :meth:`mend`."""
        self._standing[method] = fault

    def mend(self, method: str = EVERY_METHOD) -> None:
        """Take a standing fault away."""
        self._standing.pop(method, None)

    def release(self) -> None:
        """Let requests that are held arrive."""
        self.released.set()

    def next(self, method: str) -> Fault | Answer | None:
        """Take the fault meant for this call of ``method``, if any."""
        queue = self._armed.get(method)
        if queue:
            return queue.popleft()
        return self._standing.get(method) or self._standing.get(EVERY_METHOD)
