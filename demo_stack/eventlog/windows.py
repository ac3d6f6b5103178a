"""A windowed stream job: counts by key in tumbling windows of event time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator


class TumblingCounts:
    """Counts events per key and window; a window is emitted once, when it can't change any more.

    Args:
        window_ms: Length of a window.
        lateness_ms: How far behind the newest event an event may be; later ones are dropped.
    """

    def __init__(self, window_ms: int, lateness_ms: int = 0) -> None:
        self._window_ms = window_ms
        self._lateness_ms = lateness_ms
        self._open: dict[int, Counter[str]] = {}
        self._watermark_ms = -1
        self.dropped = 0

    def add(self, key: str, time_ms: int, count: float = 1) -> None:
        """Count an event that happened at ``time_ms``."""
        start_ms = time_ms - time_ms % self._window_ms
        if start_ms + self._window_ms <= self._watermark_ms:
            self.dropped += 1
            return
        self._open.setdefault(start_ms, Counter())[key] += count  # type: ignore[assignment] # sums
        self._watermark_ms = max(self._watermark_ms, time_ms - self._lateness_ms)

    def closed(self) -> Iterator[tuple[int, Counter[str]]]:
        """Yield (start, counts) of the windows that ended before the watermark, oldest first."""
        for start_ms in sorted(self._open):
            if start_ms + self._window_ms > self._watermark_ms:
                return
            yield start_ms, self._open.pop(start_ms)


class TumblingRatios:
    """A part over a whole per key and window of event time, such as waiting over watching.

    Args:
        window_ms: Length of a window.
        lateness_ms: How far behind the newest event an event may be; later ones are dropped.
    """

    def __init__(self, window_ms: int, lateness_ms: int = 0) -> None:
        self._parts = TumblingCounts(window_ms, lateness_ms)
        self._wholes = TumblingCounts(window_ms, lateness_ms)
        self.latest: dict[str, float] = {}

    def add(self, key: str, time_ms: int, *, part: float, whole: float) -> None:
        """Take an event into account that happened at ``time_ms``; both must not be negative."""
        if part < 0.0 or whole < 0.0:
            return
        self._parts.add(key, time_ms, part)
        self._wholes.add(key, time_ms, whole)

    def close(self) -> None:
        """Keep the ratios of the newest window that can't change any more as the latest."""
        windows = zip(self._parts.closed(), self._wholes.closed(), strict=True)
        for (_, parts), (_, wholes) in windows:
            self.latest = {key: parts[key] / whole for key, whole in wholes.items() if whole > 0.0}
