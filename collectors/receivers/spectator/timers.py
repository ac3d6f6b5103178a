"""Timers and distribution summaries of the line protocol, plain and with percentiles."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collectors.model import SeriesKind
from collectors.percentile_buckets import MAX_AMOUNT, bucket_of
from collectors.receivers.spectator.lines import Line
from collectors.receivers.spectator.meters import (
    METER_TTL_MS,
    Flush,
    Total,
    Totals,
    amount,
    own_tags,
)

_NANOS = 1e9


class DistributionMeter:
    """``t``, ``T``, ``d`` and ``D``: count, total, total of squares and maximum.

    Timers (``t``, ``T``) record seconds, summaries (``d``, ``D``) any amount; the capital ones also
    count percentile buckets, in nanoseconds for timers.
    """

    def __init__(self, tags: Mapping[str, str], totals: Totals, kind: str) -> None:
        total = "totalTime" if kind in "tT" else "totalAmount"
        self._base = tags
        self._known = totals
        self._totals = [
            totals.of(own_tags(tags, SeriesKind.COUNTER, statistic=statistic))
            for statistic in ("count", total, "totalOfSquares")
        ]
        self._max_tags = own_tags(tags, SeriesKind.GAUGE, statistic="max")
        self._letter = kind if kind in "TD" else ""
        self._scale = _NANOS if kind == "T" else 1.0
        self._max = -math.inf
        self._buckets: dict[int, Total] = {}
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Record one event."""
        value = amount(line)
        count, total, squares = self._totals
        count.value += 1
        total.value += value
        squares.value += value * value
        self._max = max(self._max, value)
        self._heard_ms = now_ms
        if self._letter:
            self._bucket(bucket_of(int(min(value * self._scale, MAX_AMOUNT)))).value += 1

    def flush(self, flush: Flush) -> None:
        """Deliver the totals, and the maximum since the last flush."""
        for total in self._totals:
            flush.tell(total)
        if self._max > -math.inf:
            flush.builder.add(self._max_tags, flush.now_ms, self._max)
            self._max = -math.inf
        for total in self._buckets.values():
            flush.tell(total)

    def _bucket(self, bucket: int) -> Total:
        found = self._buckets.get(bucket)
        if found is None:
            label = f"{self._letter}{bucket:04X}"
            tags = own_tags(
                self._base, SeriesKind.COUNTER, statistic="percentile", percentile=label
            )
            found = self._buckets[bucket] = self._known.of(tags)
        return found

    def expires_ms(self) -> int:
        """Return 15 minutes after the last event."""
        return self._heard_ms + METER_TTL_MS
