"""OTLP sums, gauges and summaries → samples.

Monotonic sums become counters with ``statistic=count``; deltas become running totals first. Other
sums and gauges become gauges. Data model: opentelemetry-proto ``metrics.proto``.
"""

from __future__ import annotations

import math
from typing import Any

from collectors.errors import DecodeError
from collectors.model import SeriesKind, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.streams import NANOS_PER_MS, Family, Stream, StreamTable

NO_RECORDED_VALUE = 1
DELTA = 1
CUMULATIVE = 2

MAX_EXEMPLARS_PER_POINT = 4
MAX_QUANTILES = 32
NEWEST_MS = 7_258_118_400_000  # 2200-01-01; nanoseconds since 1970 overflow soon after


def add_gauge(family: Family, points: Any, table: StreamTable, builder: BatchBuilder) -> None:
    """Append gauge points: the value at its time, whatever the start says."""
    for point in points:
        try:
            stream, _, time_ms = place(family, point, table)
            family.note_export(time_ms)
            stream.last_ms = time_ms
            tags = stream.variant(SeriesKind.GAUGE)
            builder.add(tags, time_ms, number(point))
            add_exemplars(point, tags, builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def add_sum(
    family: Family,
    points: Any,
    *,
    temporality: int,
    monotonic: bool,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Append the points of a sum."""
    plain = monotonic and temporality == CUMULATIVE
    for point in points:
        try:
            if plain and _add_known(family, point, builder):
                continue
            stream, start_ms, time_ms = place(family, point, table)
            if monotonic:
                tags = stream.variant(SeriesKind.COUNTER, "count")
            else:
                tags = stream.variant(SeriesKind.GAUGE)
            value = number(point)
            if temporality == DELTA:
                value = _running_total(
                    stream, value, tags, when=(start_ms, time_ms), table=table, builder=builder
                )
            elif monotonic:
                _start_from_zero(
                    family, stream, [tags], when=(start_ms, time_ms), table=table, builder=builder
                )
            builder.add(tags, time_ms, value)
            add_exemplars(point, tags, builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def _add_known(family: Family, point: Any, builder: BatchBuilder) -> bool:
    """Append the next point of a cumulative counter that goes on as before, if it is one."""
    stream = family.streams.get(tuple(point.attributes))
    if stream is None or point.flags:
        return False
    time_ms = point.time_unix_nano // NANOS_PER_MS
    started_ms = point.start_time_unix_nano // NANOS_PER_MS
    if started_ms != stream.start_ms or not stream.last_ms < time_ms <= NEWEST_MS:
        return False
    value = number(point)
    if time_ms != family.current_ms:
        family.note_export(time_ms)
    stream.last_ms = time_ms
    tags = stream.variant(SeriesKind.COUNTER, "count")
    builder.add(tags, time_ms, value)
    if point.exemplars:
        add_exemplars(point, tags, builder)
    return True


def add_summary(family: Family, points: Any, table: StreamTable, builder: BatchBuilder) -> None:
    """Append a summary: counters for count and total, a gauge for each quantile."""
    for point in points:
        try:
            stream, start_ms, time_ms = place(family, point, table)
            counters = [
                stream.variant(SeriesKind.COUNTER, "count"),
                stream.variant(SeriesKind.COUNTER, "totalAmount"),
            ]
            _start_from_zero(
                family, stream, counters, when=(start_ms, time_ms), table=table, builder=builder
            )
            builder.add_column(counters, time_ms, [float(point.count), point.sum])
            for quantile in point.quantile_values[:MAX_QUANTILES]:
                tags = stream.variant(SeriesKind.GAUGE, f"quantile.{quantile.quantile:g}")
                builder.add(tags, time_ms, quantile.value)
        except DecodeError as error:
            refuse_point(error, family, builder)


def place(family: Family, point: Any, table: StreamTable) -> tuple[Stream, int, int]:
    """Return the point's stream (not yet advanced), its start and its time, epoch milliseconds."""
    time_ms = point.time_unix_nano // NANOS_PER_MS
    if time_ms == 0:
        raise DecodeError("noTimestamp: a data point has no time_unix_nano")
    if time_ms > NEWEST_MS:
        raise DecodeError(
            f"badTimestamp: time_unix_nano {point.time_unix_nano} is beyond year 2200"
        )
    return (
        table.stream(family, point.attributes),
        point.start_time_unix_nano // NANOS_PER_MS,
        time_ms,
    )


def refuse_point(error: DecodeError, family: Family, builder: BatchBuilder) -> None:
    """Note a refusal whose message begins with its reason and a colon."""
    reason, _, detail = error.message.partition(": ")
    if not detail or " " in reason:
        reason, detail = "invalidPoint", error.message
    builder.refuse(reason, detail, {"name": family.name})


def refuse_repeated(stream: Stream, time_ms: int) -> None:
    """Raise if a delta point is not newer than the last one: adding it twice would be wrong."""
    if time_ms <= stream.last_ms:
        raise DecodeError(
            f"outOfOrder: a delta at {time_ms} is not after {stream.last_ms}, perhaps a repetition"
        )


def _start_from_zero(
    family: Family,
    stream: Stream,
    counters: list[Tags],
    *,
    when: tuple[int, int],
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Advance a cumulative stream, with a zero before its first point and after each restart."""
    start_ms, time_ms = when
    family.note_export(time_ms)
    zero_ms = family.zero_ms(stream, start_ms, time_ms, time_ms - table.limits.zero_point_ms)
    if zero_ms is not None:
        builder.add_column(counters, zero_ms, [0.0] * len(counters))
    if start_ms != stream.start_ms or time_ms > stream.last_ms:
        table.advance(stream, start_ms, time_ms)


def _running_total(
    stream: Stream,
    value: float,
    tags: Tags,
    *,
    when: tuple[int, int],
    table: StreamTable,
    builder: BatchBuilder,
) -> float:
    """Add a delta to its stream; nothing happened between two deltas that leave a gap."""
    start_ms, time_ms = when
    refuse_repeated(stream, time_ms)
    if stream.last_ms < start_ms < time_ms:
        builder.add(tags, start_ms, stream.total)
    table.advance(stream, start_ms, time_ms)
    if math.isfinite(value):
        stream.total += value
    return stream.total


def number(point: Any) -> float:
    """Return a point's value, NaN for the no-recorded-value flag; raise if there is none."""
    if point.flags & NO_RECORDED_VALUE:
        return math.nan
    match point.WhichOneof("value"):
        case "as_double":
            return float(point.as_double)
        case "as_int":
            return float(point.as_int)
    raise DecodeError("noValue: a data point has neither as_double nor as_int")


def add_exemplars(point: Any, tags: Tags, builder: BatchBuilder) -> None:
    """Attach the exemplars that name a trace."""
    for exemplar in point.exemplars[:MAX_EXEMPLARS_PER_POINT]:
        if not exemplar.trace_id:
            continue
        if len(exemplar.trace_id) != 16 or len(exemplar.span_id) not in (0, 8):
            detail = f"trace_id {exemplar.trace_id.hex()[:64]!r} is not 16 bytes, or span_id not 8"
            builder.warn("invalidExemplar", detail, tags)
            continue
        value = exemplar.as_int if exemplar.HasField("as_int") else exemplar.as_double
        builder.exemplar(
            tags,
            exemplar.time_unix_nano // NANOS_PER_MS,
            float(value),
            exemplar.trace_id.hex(),
            exemplar.span_id.hex(),
        )
