"""How fast a way is used: slower than it would refuse, with room left for pages.

A way that limits the rate makes everything wait that goes there. Who keeps below the limit is not
made to wait, and a page finds a token that no thread line has taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.notifiers.delivery import Action
from runbooks.notifiers.kind import Pace
from runbooks.paging.order import Hold
from runbooks.paging.routing import Target

FOR_PAGES = 1.0
"""Tokens of a channel that only a page may take."""

MAX_KEPT = 10_000
"""Channels remembered; one that is forgotten begins with all its tokens."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    seen_ms: int

    def refill(self, pace: Pace, now_ms: int) -> None:
        gained = max(0, now_ms - self.seen_ms) / 1_000 * pace.per_s
        self.tokens = min(float(pace.burst), self.tokens + gained)
        self.seen_ms = now_ms


class Pacing:
    """Counts what was sent where."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[Hold, Pace], _Bucket] = {}

    def take(self, target: Target, action: Action, pace: Pace, now_ms: int) -> None:
        """Note that something is sent."""
        edits = action is Action.EDIT
        key = Hold(notifier=target.notifier, channel=None if edits else target.channel, edits=edits)
        bucket = self._buckets.setdefault((key, pace), _Bucket(float(pace.burst), now_ms))
        bucket.refill(pace, now_ms)
        bucket.tokens -= 1.0
        if len(self._buckets) > MAX_KEPT:
            self._buckets.pop(next(iter(self._buckets)))

    def holds(self, now_ms: int) -> list[Hold]:
        """Return what has to wait now.

        >>> pacing, pace = Pacing(), Pace(per_s=1.0, burst=2)
        >>> way = Target(notifier="slack", channel="incidents")
        >>> pacing.take(way, Action.REPLY, pace, 0)
        >>> [hold.pages for hold in pacing.holds(0)]
        [False]
        >>> pacing.take(way, Action.OPEN, pace, 0)
        >>> [hold.pages for hold in pacing.holds(0)], pacing.holds(2_000)
        ([True], [])
        """
        found: list[Hold] = []
        for (key, pace), bucket in [*self._buckets.items()]:
            bucket.refill(pace, now_ms)
            spare = 0.0 if key.edits else FOR_PAGES
            if bucket.tokens >= pace.burst:
                del self._buckets[key, pace]
            elif bucket.tokens < 1.0 + spare:
                found.append(
                    Hold(
                        notifier=key.notifier,
                        channel=key.channel,
                        edits=key.edits,
                        pages=bucket.tokens < 1.0,
                    )
                )
        return found
