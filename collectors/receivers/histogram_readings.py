"""A reading of a foreign histogram, and the samples that it becomes.

Each stream gives counters ``statistic=count`` and ``totalTime`` (seconds, for units of time) or
``totalAmount``, and counters ``statistic=percentile`` with ``percentile=T0056`` and the like, so
that ``:percentiles``, ``:dist-avg`` and ``:sample-count`` work. A bucket's count is spread over the
Atlas buckets that it covers in proportion to overlap.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from collectors.errors import DecodeError
from collectors.model import FloatArray, SeriesKind, Tags
from collectors.percentile_buckets import lower_bounds, share_of, spread
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.streams import BucketMask, Stream, Totals

# UCUM's codes, and the words that Micrometer sends.
_NANOS = {
    "d": 86_400e9,
    "h": 3_600e9,
    "min": 60e9,
    "s": 1e9,
    "ms": 1e6,
    "us": 1e3,
    "ns": 1.0,
    "days": 86_400e9,
    "hours": 3_600e9,
    "minutes": 60e9,
    "seconds": 1e9,
    "milliseconds": 1e6,
    "microseconds": 1e3,
    "nanoseconds": 1.0,
}

# SDKs use up to 160; a stranger's million would fill the memory with spread tables.
MAX_BUCKETS = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How a unit maps to Atlas: what to multiply by, and the names it gives."""

    letter: str
    to_amount: float
    to_total: float
    total: str

    @staticmethod
    def of(unit: str) -> Measure:
        """Return the measure of a unit (UCUM): a timer for units of time, else a summary."""
        nanos = _NANOS.get(unit)
        if nanos is None:
            return Measure(letter="D", to_amount=1.0, to_total=1.0, total="totalAmount")
        return Measure(letter="T", to_amount=nanos, to_total=nanos / 1e9, total="totalTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One point in Atlas's terms; ``buckets`` has shape (276,)."""

    start_ms: int
    time_ms: int
    count: float
    total: float | None
    largest: float | None
    buckets: FloatArray

    def since(self, before: Totals | None) -> Reading:
        """Return what was counted since an earlier reading; all of it without one."""
        if before is None:
            return self
        both = self.total is not None and before.total is not None
        return replace(
            self,
            count=max(0.0, self.count - before.observations),
            total=(self.total or 0.0) - (before.total or 0.0) if both else self.total,
            buckets=np.maximum(0.0, self.buckets - before.buckets),
        )


def explicit_buckets(
    counts: Sequence[float], bounds: Sequence[float], measure: Measure
) -> FloatArray:
    """Spread the counts of buckets ``(bounds[i - 1], bounds[i]]``, the last one without an end.

    A single bucket without bounds says nothing of how values are spread: nothing is counted.

    Raises:
        DecodeError: Counts and bounds don't fit each other, or there are too many.
    """
    if len(counts) < 2 and not len(bounds):
        return np.zeros(len(lower_bounds()))
    if len(counts) != len(bounds) + 1:
        raise DecodeError(
            f"malformedHistogram: {len(counts)} bucket_counts for {len(bounds)} explicit_bounds,"
            " there must be one more"
        )
    if len(counts) > MAX_BUCKETS:
        raise DecodeError(f"bucketsTooMany: {len(counts)} buckets, at most {MAX_BUCKETS}")
    edges = (-math.inf, *bounds, math.inf)
    if any(not low < high for low, high in pairwise(edges)):
        raise DecodeError("malformedHistogram: explicit_bounds must be finite and increase")
    return np.asarray(counts, dtype=np.float64) @ spread(edges, measure.to_amount)


@functools.lru_cache(maxsize=65_536)
def exponential_shares(scale: int, index: int, to_amount: float) -> tuple[tuple[int, float], ...]:
    """Return the Atlas buckets of ``(base ** index, base ** (index + 1)]``, base 2^(2^-scale)."""
    low, high = (_power(i * 2.0**-scale) * to_amount for i in (index, index + 1))
    return tuple(share_of(low, high).items())


def zero_shares(width: float) -> dict[int, float]:
    """Return the Atlas buckets of a zero bucket: what lies within ``width`` of zero."""
    return share_of(0.0, width) if math.isfinite(width) and width > 1.0 else {0: 1.0}


def _power(exponent: float) -> float:
    return math.inf if exponent > 1023 else 2.0**exponent


def write_reading(
    stream: Stream,
    reading: Reading,
    builder: BatchBuilder,
    *,
    measure: Measure,
    zero_ms: int | None,
    last_ms: int,
) -> None:
    """Append the counters of a reading, each after a zero if it is new.

    ``zero_ms`` is when the whole stream was zero; a bucket that fills later was so at ``last_ms``.
    """
    count = stream.variant(SeriesKind.COUNTER, "count")
    scalars = [(count, reading.count)]
    if reading.total is not None:
        scalars.append((stream.variant(SeriesKind.COUNTER, measure.total), reading.total))
    tags = [t for t, _ in scalars]
    if zero_ms is not None:
        builder.add_column(tags, zero_ms, [0.0] * len(tags))
    builder.add_column(tags, reading.time_ms, [v for _, v in scalars])
    mask = reading.buckets > 0
    fresh = stream.unseen(mask)
    fresh_ms = zero_ms if zero_ms is not None else last_ms
    if fresh and 0 < fresh_ms < reading.time_ms:
        zeros = [_bucket_tags(stream, measure, bucket) for bucket in fresh]
        builder.add_column(zeros, fresh_ms, [0.0] * len(zeros))
    values = reading.buckets[mask].tolist()
    builder.add_column(_columns(stream, measure, mask), reading.time_ms, values)


def write_parts(
    stream: Stream, since: Reading, builder: BatchBuilder, *, measure: Measure, begin_ms: int
) -> None:
    """Append what was counted after ``begin_ms`` as parts, in every bucket ever used."""
    time_ms = since.time_ms
    builder.add_part(stream.variant(SeriesKind.COUNTER, "count"), begin_ms, time_ms, since.count)
    if since.total is not None and since.total >= 0:
        total = stream.variant(SeriesKind.COUNTER, measure.total)
        builder.add_part(total, begin_ms, time_ms, since.total)
    mask = since.buckets > 0
    if stream.seen is not None:
        mask = mask | stream.seen
    stream.unseen(mask)
    values = since.buckets[mask].tolist()
    for tags, value in zip(_columns(stream, measure, mask), values, strict=True):
        builder.add_part(tags, begin_ms, time_ms, value)


def write_gauges(stream: Stream, reading: Reading, measure: Measure, builder: BatchBuilder) -> None:
    """Append a reading that may fall as well as rise, such as the ages of what waits."""
    kind = SeriesKind.GAUGE
    builder.add(stream.variant(kind, "count"), reading.time_ms, reading.count)
    if reading.total is not None:
        builder.add(stream.variant(kind, measure.total), reading.time_ms, reading.total)
    used = np.flatnonzero(reading.buckets > 0).tolist()
    labels = [f"{measure.letter}{bucket:04X}" for bucket in used]
    tags = [stream.variant(kind, "percentile", label) for label in labels]
    builder.add_column(tags, reading.time_ms, reading.buckets[used].tolist())


def _columns(stream: Stream, measure: Measure, mask: BucketMask) -> list[Tags]:
    """Return the tags of the buckets in use, which are mostly those of the point before."""
    key = mask.tobytes()
    if stream.columns[0] != key:
        used = np.flatnonzero(mask).tolist()
        stream.columns = (key, [_bucket_tags(stream, measure, bucket) for bucket in used])
    return stream.columns[1]


def _bucket_tags(stream: Stream, measure: Measure, bucket: int) -> Tags:
    label = f"{measure.letter}{bucket:04X}"
    return stream.variant(SeriesKind.COUNTER, "percentile", label)
