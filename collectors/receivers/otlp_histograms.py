"""OTLP histograms, explicit and exponential → Atlas statistics and percentile buckets.

Each stream gives counters ``statistic=count`` and ``totalTime`` (seconds, for units of time) or
``totalAmount``, and counters ``statistic=percentile`` with ``percentile=T0056`` and the like, so
that ``:percentiles``, ``:dist-avg`` and ``:sample-count`` work. A bucket's count is spread over the
Atlas buckets that it covers in proportion to overlap.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from collectors.errors import DecodeError
from collectors.model import FloatArray, SeriesKind, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.otlp_numbers import (
    DELTA,
    NO_RECORDED_VALUE,
    add_exemplars,
    place,
    refuse_point,
    refuse_repeated,
)
from collectors.receivers.otlp_streams import BucketMask, Family, Stream, StreamTable
from collectors.receivers.percentile_buckets import lower_bounds, share_of, spread

_NANOS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}

# Beyond this an exponential bucket's bound overflows a double; SDKs stay within -10 to 20.
_SCALES = range(-11, 21)

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
        """Return the measure of an OTLP unit: a timer for units of time, else a summary."""
        nanos = _NANOS.get(unit)
        if nanos is None:
            return Measure(letter="D", to_amount=1.0, to_total=1.0, total="totalAmount")
        return Measure(letter="T", to_amount=nanos, to_total=nanos / 1e9, total="totalTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One point in Atlas's terms; ``buckets`` has shape (276,)."""

    start_ms: int
    time_ms: int
    count: float
    total: float | None
    largest: float | None
    buckets: FloatArray


def add_histogram(
    family: Family,
    points: Any,
    temporality: int,
    measure: Measure,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Append explicit or exponential histogram points."""
    add_reading = _add_delta if temporality == DELTA else _add_cumulative
    for point in points:
        try:
            stream, start_ms, time_ms = place(family, point, table)
            if point.flags & NO_RECORDED_VALUE:
                builder.add(stream.variant(SeriesKind.COUNTER, "count"), time_ms, math.nan)
                continue
            reading = _Reading(
                start_ms=start_ms,
                time_ms=time_ms,
                count=float(point.count),
                total=point.sum * measure.to_total if point.HasField("sum") else None,
                largest=point.max * measure.to_total if point.HasField("max") else None,
                buckets=_buckets(point, measure),
            )
            add_reading(family, stream, reading, measure, table, builder)
            add_exemplars(point, stream.variant(SeriesKind.COUNTER, "count"), builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def _buckets(point: Any, measure: Measure) -> FloatArray:
    if hasattr(point, "explicit_bounds"):
        return _explicit(point, measure)
    return _exponential(point, measure)


def _explicit(point: Any, measure: Measure) -> FloatArray:
    counts, bounds = point.bucket_counts, point.explicit_bounds
    if not counts and not bounds:
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


def _exponential(point: Any, measure: Measure) -> FloatArray:
    if point.scale not in _SCALES:
        raise DecodeError(f"malformedHistogram: scale {point.scale} is not within -11 to 20")
    if len(point.positive.bucket_counts) > MAX_BUCKETS:
        count = len(point.positive.bucket_counts)
        raise DecodeError(f"bucketsTooMany: {count} buckets, at most {MAX_BUCKETS}")
    buckets = np.zeros(len(lower_bounds()))
    buckets[0] = float(point.zero_count) + sum(point.negative.bucket_counts)
    for i, count in enumerate(point.positive.bucket_counts, start=point.positive.offset):
        if count:
            for bucket, share in _exponential_shares(point.scale, i, measure.to_amount):
                buckets[bucket] += count * share
    return buckets


@functools.lru_cache(maxsize=65_536)
def _exponential_shares(scale: int, index: int, to_amount: float) -> tuple[tuple[int, float], ...]:
    """Return the Atlas buckets of ``(base ** index, base ** (index + 1)]``, base 2^(2^-scale)."""
    low, high = (_power(i * 2.0**-scale) * to_amount for i in (index, index + 1))
    return tuple(share_of(low, high).items())


def _power(exponent: float) -> float:
    return math.inf if exponent > 1023 else 2.0**exponent


def _add_cumulative(
    family: Family,
    stream: Stream,
    reading: _Reading,
    measure: Measure,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    time_ms = reading.time_ms
    family.note_export(time_ms)
    oldest_ms = time_ms - table.limits.zero_point_ms
    zero_ms = family.zero_ms(stream, reading.start_ms, time_ms, oldest_ms)
    last_ms, largest = stream.last_ms, stream.largest
    restarted = stream.start_ms not in (-1, reading.start_ms)
    table.advance(stream, reading.start_ms, time_ms)
    if restarted:
        stream.seen, largest = None, -math.inf
    _write(stream, reading, measure, zero_ms, last_ms, builder)
    if reading.largest is not None and reading.largest > largest:
        # A maximum since the start says something about this interval only when it rose.
        stream.largest = reading.largest
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), time_ms, reading.largest)


def _add_delta(
    family: Family,
    stream: Stream,
    reading: _Reading,
    measure: Measure,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    time_ms, start_ms = reading.time_ms, reading.start_ms
    refuse_repeated(stream, time_ms)
    family.note_export(time_ms)
    first, after_gap = stream.last_ms == -1, stream.last_ms < start_ms < time_ms
    last_ms = start_ms if after_gap else stream.last_ms
    table.advance(stream, start_ms, time_ms)
    if stream.buckets is None:
        stream.buckets = np.zeros(len(lower_bounds()))
    if after_gap and not first:
        before = _running(stream, reading, start_ms)
        _write(stream, before, measure, None, last_ms, builder)
    stream.count += reading.count
    stream.total += reading.total or 0.0
    stream.buckets = stream.buckets + reading.buckets
    zero_ms = last_ms if first and last_ms > 0 else None
    _write(stream, _running(stream, reading, time_ms), measure, zero_ms, last_ms, builder)
    if reading.largest is not None:
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), time_ms, reading.largest)


def _running(stream: Stream, reading: _Reading, time_ms: int) -> _Reading:
    assert stream.buckets is not None  # noqa: S101 - set by the caller; tells the type checker
    return _Reading(
        start_ms=reading.start_ms,
        time_ms=time_ms,
        count=stream.count,
        total=None if reading.total is None else stream.total,
        largest=None,
        buckets=stream.buckets,
    )


def _write(
    stream: Stream,
    reading: _Reading,
    measure: Measure,
    zero_ms: int | None,
    last_ms: int,
    builder: BatchBuilder,
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
