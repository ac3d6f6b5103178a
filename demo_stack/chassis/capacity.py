"""A capacity that somebody bought: so many requests a second, and a little more for a moment."""

from __future__ import annotations


class TokenBucket:
    """Admits requests at a rate.

    Args:
        per_s: Requests a second.
        burst_s: Unused capacity is saved for this long, in seconds.

    >>> bucket = TokenBucket(2.0)
    >>> [bucket.admit(0.0) for _ in range(3)], bucket.admit(0.5)
    ([True, True, False], True)
    """

    def __init__(self, per_s: float, burst_s: float = 1.0) -> None:
        self.per_s = per_s
        self._burst_s = burst_s
        self._tokens = per_s * burst_s
        self._filled_s = 0.0

    def admit(self, now_s: float) -> bool:
        """Return whether a request finds capacity."""
        gained = (now_s - self._filled_s) * self.per_s
        self._tokens = min(max(1.0, self.per_s * self._burst_s), self._tokens + gained)
        self._filled_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
