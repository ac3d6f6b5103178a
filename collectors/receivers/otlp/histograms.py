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
    write_parts,
    write_reading,
    zero_shares,
)
from collectors.receivers.otlp.intervals import begin_delta, begin_shared, close_gap
from collectors.receivers.otlp.numbers import (
    DELTA,
    NO_RECORDED_VALUE,
    add_exemplars,
    place,
    refuse_point,
)
from collectors.receivers.streams import Family, Stream, StreamTable, Totals

# Beyond this an exponential bucket's bound overflows a double; SDKs stay within -10 to 20.
_SCALES = range(-11, 21)
_UNBOUNDED = (
    "a histogram without explicit_bounds has count, sum and mean but no percentiles; give its view "
    "boundaries, or let it be exponential"
)


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
            stream, start_ms, time_ms = place(
                family, point, table, builder, cumulative=temporality != DELTA
            )
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
            if unbounded(point) and stream.last_ms == -1:
                builder.warn("histogramUnbounded", _UNBOUNDED, stream.tags)
            add_reading(family, stream, reading, measure=measure, table=table, builder=builder)
            add_exemplars(point, stream.variant(SeriesKind.COUNTER, "count"), builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def unbounded(point: Any) -> bool:
    """Return whether a histogram has no bounds: it says nothing of how values are spread."""
    return hasattr(point, "explicit_bounds") and not point.explicit_bounds


def _buckets(point: Any, measure: Measure) -> FloatArray:
    if hasattr(point, "explicit_bounds"):
        return explicit_buckets(point.bucket_counts, point.explicit_bounds, measure)
    return _exponential(point, measure)


def _exponential(point: Any, measure: Measure) -> FloatArray:
    if point.scale not in _SCALES:
        raise DecodeError(f"malformedHistogram: scale {point.scale} is not within -11 to 20")
    count = max(len(point.positive.bucket_counts), len(point.negative.bucket_counts))
    if count > MAX_BUCKETS:
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
    largest, restarted = stream.largest, stream.start_ms not in (-1, reading.start_ms)
    if restarted:
        largest = -math.inf
    if stream.meeting is None:
        _write_cumulative(family, stream, reading, measure=measure, table=table, builder=builder)
    else:
        when = (reading.start_ms, reading.time_ms)
        begin = begin_shared(family, stream, when, table)
        if begin is None:
            return
        before = None if begin.from_zero else stream.totals
        table.advance(stream, *when)
        stream.totals = _totals(reading)
        if begin.time_ms >= 0:
            since = reading.since(before)
            write_parts(stream, since, builder, measure=measure, begin_ms=begin.time_ms)
    if reading.largest is not None and reading.largest > largest:
        # A maximum since the start says something about this interval only when it rose.
        stream.largest = reading.largest
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), reading.time_ms, reading.largest)


def _write_cumulative(
    family: Family,
    stream: Stream,
    reading: Reading,
    *,
    measure: Measure,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Append a reading of the only stream that has its tags."""
    time_ms = reading.time_ms
    family.note_export(time_ms)
    oldest_ms = time_ms - table.limits.zero_point_ms
    zero_ms = family.zero_ms(stream, reading.start_ms, time_ms, oldest_ms)
    last_ms = stream.last_ms
    restarted = stream.start_ms not in (-1, reading.start_ms)
    table.advance(stream, reading.start_ms, time_ms)
    if restarted:
        stream.seen = None
    if time_ms > last_ms:
        stream.totals = _totals(reading)
    write_reading(stream, reading, builder, measure=measure, zero_ms=zero_ms, last_ms=last_ms)


def _totals(reading: Reading) -> Totals:
    return Totals(reading.count, reading.total, reading.buckets)


def _add_delta(
    family: Family,
    stream: Stream,
    reading: Reading,
    *,
    measure: Measure,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    count = stream.variant(SeriesKind.COUNTER, "count")
    when = (reading.start_ms, reading.time_ms)
    begin_ms = begin_delta(family, stream, count, when, table)
    counters = [count]
    if reading.total is not None:
        counters.append(stream.variant(SeriesKind.COUNTER, measure.total))
    close_gap(stream, counters, begin_ms, table, builder)
    table.advance_delta(stream, *when)
    write_parts(stream, reading, builder, measure=measure, begin_ms=begin_ms)
    if reading.largest is not None:
        builder.add(stream.variant(SeriesKind.GAUGE, "max"), reading.time_ms, reading.largest)
