"""Timers and distribution summaries of the line protocol, plain and with percentiles."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collectors.model import SeriesKind, Tags
from collectors.percentile_buckets import MAX_AMOUNT, bucket_of
from collectors.receivers.spectator.lines import Line
from collectors.receivers.spectator.meters import METER_TTL_MS, Flush, amount, series_tags

_NANOS = 1e9


class DistributionMeter:
    """``t``, ``T``, ``d`` and ``D``: count, total, total of squares and maximum.

    Timers (``t``, ``T``) record seconds, summaries (``d``, ``D``) any amount; the capital ones also
    count percentile buckets, in nanoseconds for timers.
    """

    def __init__(self, tags: Mapping[str, str], kind: str) -> None:
        total = "totalTime" if kind in "tT" else "totalAmount"
        self._base = tags
        self._columns = [
            series_tags(tags, SeriesKind.COUNTER, statistic=statistic)
            for statistic in ("count", total, "totalOfSquares")
        ]
        self._max_tags = series_tags(tags, SeriesKind.GAUGE, statistic="max")
        self._letter = kind if kind in "TD" else ""
        self._scale = _NANOS if kind == "T" else 1.0
        self._totals = [0.0, 0.0, 0.0]
        self._max = -math.inf
        self._first = True
        self._buckets: dict[int, float] = {}
        self._bucket_tags: dict[int, Tags] = {}
        self._heard_ms = 0

    def record(self, line: Line, now_ms: int) -> None:
        """Record one event."""
        value = amount(line)
        self._totals[0] += 1
        self._totals[1] += value
        self._totals[2] += value * value
        self._max = max(self._max, value)
        self._heard_ms = now_ms
        if self._letter:
            bucket = bucket_of(int(min(value * self._scale, MAX_AMOUNT)))
            self._buckets[bucket] = self._buckets.get(bucket, 0.0) + 1

    def flush(self, flush: Flush) -> None:
        """Deliver the totals, and the maximum since the last flush."""
        for tags, total in zip(self._columns, self._totals, strict=True):
            flush.total(tags, total, self._first)
        self._first = False
        if self._max > -math.inf:
            flush.builder.add(self._max_tags, flush.now_ms, self._max)
            self._max = -math.inf
        for bucket, count in self._buckets.items():
            first = bucket not in self._bucket_tags
            if first:
                self._bucket_tags[bucket] = series_tags(
                    self._base,
                    SeriesKind.COUNTER,
                    statistic="percentile",
                    percentile=f"{self._letter}{bucket:04X}",
                )
            flush.total(self._bucket_tags[bucket], count, first)

    def expires_ms(self) -> int:
        """Return 15 minutes after the last event."""
        return self._heard_ms + METER_TTL_MS
