"""OTLP histograms, explicit and exponential → Atlas statistics and percentile buckets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from collectors.errors import DecodeError
from collectors.model import FloatArray, SeriesKind
from collectors.percentile_buckets import lower_bounds
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.histogram_readings import (
    MAX_BUCKETS,
    Measure,
    Reading,
    explicit_buckets,
    exponential_shares,
    write_reading,
    zero_shares,
)
from collectors.receivers.otlp.numbers import (
    DELTA,
    NO_RECORDED_VALUE,
    add_exemplars,
    place,
    refuse_point,
    refuse_repeated,
)
from collectors.receivers.streams import Family, Stream, StreamTable

# Beyond this an exponential bucket's bound overflows a double; SDKs stay within -10 to 20.
_SCALES = range(-11, 21)


def add_histogram(
    family: Family,
    points: Any,
    *,
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
            reading = Reading(
                start_ms=start_ms,
                time_ms=time_ms,
                count=float(point.count),
                total=point.sum * measure.to_total if point.HasField("sum") else None,
                largest=point.max * measure.to_total if point.HasField("max") else None,
                buckets=_buckets(point, measure),
            )
            add_reading(family, stream, reading, measure=measure, table=table, builder=builder)
            add_exemplars(point, stream.variant(SeriesKind.COUNTER, "count"), builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def _buckets(point: Any, measure: Measure) -> FloatArray:
    if hasattr(point, "explicit_bounds"):
        return explicit_buckets(point.bucket_counts, point.explicit_bounds, measure)
    return _exponential(point, measure)


def _exponential(point: Any, measure: Measure) -> FloatArray:
    if point.scale not in _SCALES:
        raise DecodeError(f"malformedHistogram: scale {point.scale} is not within -11 to 20")
    if len(point.positive.bucket_counts) > MAX_BUCKETS:
        count = len(point.positive.bucket_counts)
        raise DecodeError(f"bucketsTooMany: {count} buckets, at most {MAX_BUCKETS}")
    buckets = np.zeros(len(lower_bounds()))
    for bucket, share in zero_shares(point.zero_threshold * measure.to_amount).items():
        buckets[bucket] += share * float(point.zero_count)
    buckets[0] += sum(point.negative.bucket_counts)
    for i, count in enumerate(point.positive.bucket_counts, start=point.positive.offset):
        if count:
            for bucket, share in exponential_shares(point.scale, i, measure.to_amount):
                buckets[bucket] += count * share
    return buckets


def _add_cumulative(
    family: Family,
    stream: Stream,
    reading: Reading,
    *,
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
    write_reading(stream, reading, builder, measure=measure, zero_ms=zero_ms, last_ms=last_ms)
    if reading.largest is not None and reading.largest > largest:
        # A maximum since the start says something about this interval only when it rose.
        stream.largest = reading.largest
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), time_ms, reading.largest)


def _add_delta(
    family: Family,
    stream: Stream,
    reading: Reading,
    *,
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
        write_reading(stream, before, builder, measure=measure, zero_ms=None, last_ms=last_ms)
    stream.count += reading.count
    stream.total += reading.total or 0.0
    stream.buckets = stream.buckets + reading.buckets
    zero_ms = last_ms if first and last_ms > 0 else None
    now = _running(stream, reading, time_ms)
    write_reading(stream, now, builder, measure=measure, zero_ms=zero_ms, last_ms=last_ms)
    if reading.largest is not None:
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), time_ms, reading.largest)


def _running(stream: Stream, reading: Reading, time_ms: int) -> Reading:
    assert stream.buckets is not None  # noqa: S101 - set by the caller; tells the type checker
    return Reading(
        start_ms=reading.start_ms,
        time_ms=time_ms,
        count=stream.count,
        total=None if reading.total is None else stream.total,
        largest=None,
        buckets=stream.buckets,
    )
