"""Rate limits with bursts, on a clock that a test can move."""

from __future__ import annotations

import math
from collections.abc import Callable

Now = Callable[[], float]
"""The present in seconds since the epoch."""


class Bucket:
    """A token bucket: ``burst`` calls at once, then ``per_s`` calls a second.

    >>> now = 0.0
    >>> bucket = Bucket(per_s=1.0, burst=1, now=lambda: now)
    >>> bucket.take(), bucket.take()
    (0, 1)
    """

    def __init__(self, *, per_s: float, burst: int, now: Now) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._now = now
        self._tokens = float(burst)
        self._seen_s = now()

    def take(self) -> int:
        """Take one token; return 0, or the whole seconds to wait if there was none."""
        now_s = self._now()
        gained = max(0.0, now_s - self._seen_s) * self._per_s
        self._tokens = min(self._burst, self._tokens + gained)
        self._seen_s = now_s
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0
        return max(1, math.ceil((1.0 - self._tokens) / self._per_s))


class Buckets:
    """One bucket a key, made when first needed."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: str, *, per_s: float, burst: int) -> int:
        """Take a token of ``key``'s bucket; return the seconds to wait, 0 for none."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(per_s=per_s, burst=burst, now=self._now)
        return bucket.take()
