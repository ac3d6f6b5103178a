"""What each receiver took and refused, for ``/health`` and for tocsin's own metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

import numpy as np

from collectors.model import DSTYPE, Batch, Rejection, SeriesKind


class ReceiverStats:
    """Counts by receiver and reason; safe to use from several threads.

    >>> stats = ReceiverStats()
    >>> stats.accept("otlp", 10)
    >>> stats.refuse("otlp", "noTimestamp", 2)
    >>> stats.accepted("otlp"), stats.refused("otlp"), stats.refusals("otlp")
    (10, 2, {'noTimestamp': 2})
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()

    def accept(self, receiver: str, count: int) -> None:
        """Note ``count`` samples, spans or lines kept by ``receiver``."""
        if count:
            with self._lock:
                self._accepted[receiver] += count

    def refuse(self, receiver: str, reason: str, count: int = 1) -> None:
        """Note ``count`` things that ``receiver`` refused because of ``reason``."""
        with self._lock:
            self._refused[receiver, reason] += count

    def refuse_all(self, receiver: str, rejections: Iterable[Rejection]) -> None:
        """Note every rejection under its reason."""
        for rejection in rejections:
            self.refuse(receiver, rejection.reason, rejection.count)

    def accepted(self, receiver: str) -> int:
        """Return how much ``receiver`` has kept."""
        with self._lock:
            return self._accepted[receiver]

    def refused(self, receiver: str) -> int:
        """Return how much ``receiver`` has refused."""
        return sum(self.refusals(receiver).values())

    def refusals(self, receiver: str) -> dict[str, int]:
        """Return the refused counts of ``receiver`` by reason."""
        with self._lock:
            return {r: n for (name, r), n in self._refused.items() if name == receiver}

    def batch(self, now_ms: int) -> Batch:
        """Return the totals as counters named ``tocsin.receiver.accepted`` and ``.refused``."""
        counter = {"statistic": "count", DSTYPE: SeriesKind.COUNTER.value}
        with self._lock:
            rows = [
                ({"name": "tocsin.receiver.accepted", "receiver": name, **counter}, n)
                for name, n in self._accepted.items()
            ]
            rows += [
                ({"name": "tocsin.receiver.refused", "receiver": r, "reason": why, **counter}, n)
                for (r, why), n in self._refused.items()
            ]
        return Batch(
            series=[tags for tags, _ in rows],
            series_index=np.arange(len(rows), dtype=np.int32),
            time_ms=np.full(len(rows), now_ms, dtype=np.int64),
            value=np.array([n for _, n in rows], dtype=np.float64),
        )
