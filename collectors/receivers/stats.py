"""What each receiver took and refused, for ``/health`` and for tocsin's own metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from itertools import product

import numpy as np

from collectors.model import DSTYPE, Batch, Receipt, Rejection, SeriesKind, Tags
from collectors.receivers.sources.arrival import note_accepted, note_refused


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
        self._refused: Counter[tuple[str, ...]] = Counter()
        self._warned: Counter[tuple[str, str]] = Counter()
        self._told: set[tuple[str, ...]] = set()
        self._told_ms = 0

    def declare(self, receivers: Iterable[str], reasons: Iterable[str]) -> None:
        """Have these refusals told of from the start, as zero.

        Once they happen it may be too late: a store without room takes no new series, not even the
        one that says so.
        """
        with self._lock:
            self._refused.update(dict.fromkeys(product(receivers, reasons), 0))

    def accept(self, receiver: str, count: int) -> None:
        """Note ``count`` samples, spans or lines kept by ``receiver``."""
        if count:
            with self._lock:
                self._accepted[receiver] += count
            note_accepted(receiver, count)

    def refuse(self, receiver: str, reason: str, count: int = 1, detail: str = "") -> None:
        """Note ``count`` things that ``receiver`` refused because of ``reason``.

        ``detail`` says it in words, for whoever looks at the sender.
        """
        with self._lock:
            self._refused[receiver, reason] += count
        note_refused(receiver, reason, count, detail)

    def refuse_all(self, receiver: str, rejections: Iterable[Rejection]) -> None:
        """Note every rejection under its reason."""
        for rejection in rejections:
            self.refuse(receiver, rejection.reason, rejection.count, rejection.detail)

    def take(self, receiver: str, receipt: Receipt) -> None:
        """Note all that a receipt says."""
        self.accept(receiver, receipt.accepted)
        self.refuse_all(receiver, receipt.rejected)
        with self._lock:
            for warning in receipt.warnings:
                self._warned[receiver, warning.reason] += warning.count

    def warnings(self, receiver: str) -> dict[str, int]:
        """Return how much of what ``receiver`` kept may not be what was meant, by reason."""
        with self._lock:
            return {r: n for (name, r), n in self._warned.items() if name == receiver}

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
        """Return the totals as counters ``tocsin.receiver.accepted``, ``.refused``, ``.warned``."""
        rows = self._rows()
        return _batch(rows, list(range(len(rows))), [now_ms] * len(rows), list(rows.values()))

    def news(self, now_ms: int) -> Batch:
        """As :meth:`batch`, with a zero at the time of the call before where a counter is new.

        Without it the first refusals for a reason, often the only ones, would give no rate.
        """
        rows = self._rows()
        fresh = [at for at, key in enumerate(rows) if key not in self._told]
        before_ms = self._told_ms if 0 < self._told_ms < now_ms else now_ms - 1
        self._told.update(rows)
        self._told_ms = now_ms
        return _batch(
            rows,
            [*fresh, *range(len(rows))],
            [*[before_ms] * len(fresh), *[now_ms] * len(rows)],
            [*[0] * len(fresh), *rows.values()],
        )

    def _rows(self) -> dict[tuple[str, ...], int]:
        """Return the totals by name, receiver and perhaps reason."""
        with self._lock:
            rows: dict[tuple[str, ...], int] = {
                ("accepted", receiver): n for receiver, n in self._accepted.items()
            }
            rows.update({("refused", *key): n for key, n in self._refused.items()})
            rows.update({("warned", *key): n for key, n in self._warned.items()})
            return rows


def _batch(
    rows: Iterable[tuple[str, ...]], index: list[int], time_ms: list[int], value: list[int]
) -> Batch:
    return Batch(
        series=[_tags(*row) for row in rows],
        series_index=np.array(index, dtype=np.int32),
        time_ms=np.array(time_ms, dtype=np.int64),
        value=np.array(value, dtype=np.float64),
    )


def _tags(name: str, receiver: str, reason: str = "") -> Tags:
    counter = {"receiver": receiver, "statistic": "count", DSTYPE: SeriesKind.COUNTER.value}
    if reason:
        counter["reason"] = reason
    return {"name": f"tocsin.receiver.{name}", **counter}
