"""What becomes of streams that have the same tags.

A stream is who it is: a resource, a scope, a metric, attributes and a kind. Tags are fewer, so two
workers of one service, or two libraries with one metric name, may meet in one series:

- counters and histograms are added up, each over the interval in which it counted;
- sums that may fall (requests at work, say) are added up as they stand;
- of gauges one is shown, and it is told: in every round of exports the last to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# A stream that has missed its turn counts no more in a sum, at the latest after this.
MAX_SILENCE_MS = 300_000
_TURNS = 3


class Member(Protocol):
    """What a meeting knows of a stream.

    Attributes:
        last_ms: Time of its last point, -1 before the first.
        every_ms: Time between its last two points, 0 when there are none.
        total: Its last value.
        adds: Whether its values may be added to those of others.
    """

    last_ms: int
    every_ms: int
    total: float
    adds: bool


@dataclass(slots=True, eq=False)
class Meeting:
    """Streams with one set of tags; ``shown`` is the one among gauges that is seen."""

    streams: list[Member]
    shown: Member

    @property
    def adds(self) -> bool:
        """Whether the values of all may be added up."""
        return all(stream.adds for stream in self.streams)

    def shows(self, stream: Member, time_ms: int) -> bool:
        """Return whether a gauge's point at ``time_ms`` is seen, and remember whose it is."""
        if self.shown is not stream:
            every_ms = max(self.shown.every_ms, stream.every_ms)
            if not takes_over(time_ms - self.shown.last_ms, every_ms):
                return False
            self.shown = stream
        return True


def takes_over(later_ms: int, every_ms: int) -> bool:
    """Return whether a gauge that comes ``later_ms`` after the one that is shown takes its place.

    Both come every ``every_ms``, 0 when nobody knows yet. By turns each is the newest; what comes
    soon after another ends the round, so it stays the one that is shown. One that has missed its
    turn is gone.

    >>> [takes_over(later_ms, 10_000) for later_ms in (-1, 2_000, 8_000, 16_000)]
    [False, True, False, True]
    """
    if later_ms <= 0:
        return False
    return later_ms * 2 <= every_ms or later_ms * 2 > 3 * every_ms


def standing_total(streams: Sequence[Member], time_ms: int) -> float:
    """Return the sum of what streams told last, without those that have ended."""
    return sum(stream.total for stream in streams if _lives(stream, time_ms))


def _lives(stream: Member, time_ms: int) -> bool:
    if stream.last_ms < 0 or stream.total != stream.total:
        return False
    silence_ms = min(MAX_SILENCE_MS, _TURNS * stream.every_ms or MAX_SILENCE_MS)
    return time_ms - stream.last_ms <= silence_ms
