"""The time for which a node may take itself for the holder of a lease, by its own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SAFE_PART = 0.85
"""Of a lease's length that its holder counts on: clocks run at rates that differ a little, and
what it has just decided to do takes a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    token: int
    until_s: float


_NONE = _Held(token=0, until_s=0.0)


class Term:
    """Whether this node holds a lease; any thread may ask, and never waits.

    It ends by itself: a process that is stopped, or can't reach the database, stops before the
    lease could be another's.

    Args:
        now_s: A clock that is never set, such as :func:`time.monotonic`, seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._held = _NONE

    @property
    def token(self) -> int:
        """The fencing token under which it is held; 0 if it is not."""
        held = self._held
        return held.token if self._now_s() < held.until_s else 0

    def holds(self) -> bool:
        """Whether this node has the lease now."""
        return self.token > 0

    def renew(self, token: int, asked_s: float, length_s: float) -> None:
        """Note that the lease is ours.

        Args:
            token: Its fencing token.
            asked_s: When it was asked for, on the clock given: before the database answered.
            length_s: For how long the database has given it.
        """
        self._held = _Held(token=token, until_s=asked_s + length_s * SAFE_PART)

    def end(self) -> None:
        """Note that it is ours no more."""
        self._held = _NONE
