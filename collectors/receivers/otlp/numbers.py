"""OTLP sums, gauges and summaries → samples.

Monotonic sums become counters with ``statistic=count``: one cumulative stream as it is, deltas and
streams that share a series as parts of it. Other sums and gauges become gauges. Data model:
opentelemetry-proto ``metrics.proto``.
"""

from __future__ import annotations

import math
from typing import Any

from collectors.errors import DecodeError
from collectors.model import SeriesKind, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.meetings import standing_total
from collectors.receivers.otlp.intervals import (
    begin_delta,
    begin_shared,
    close_gap,
    refuse_negative,
    refuse_repeated,
    show_gauge,
    show_gauges,
)
from collectors.receivers.streams import NANOS_PER_MS, Family, Stream, StreamTable

NO_RECORDED_VALUE = 1
DELTA = 1
CUMULATIVE = 2

_RISING = (SeriesKind.COUNTER, "count")
_STANDING = (SeriesKind.GAUGE,)

MAX_EXEMPLARS_PER_POINT = 4
MAX_QUANTILES = 32
NEWEST_MS = 7_258_118_400_000  # 2200-01-01; nanoseconds since 1970 overflow soon after


def add_gauge(family: Family, points: Any, table: StreamTable, builder: BatchBuilder) -> None:
    """Append gauge points: the value at its time, whatever the start says."""
    for point in points:
        try:
            stream, _, time_ms = place(family, point, table, builder)
            value = number(point)
            tags = stream.variant(SeriesKind.GAUGE)
            if time_ms != family.current_ms:
                family.note_export(time_ms)
            if 0 < stream.last_ms < time_ms:
                stream.every_ms = time_ms - stream.last_ms
            stream.last_ms = max(time_ms, stream.last_ms)
            stream.total = value
            if stream.meeting is None:
                builder.add(tags, time_ms, value)
            else:
                show_gauge(stream, tags, time_ms, value, builder)
            if point.exemplars:
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
    delta = temporality == DELTA
    for point in points:
        try:
            if monotonic and (
                _add_next_delta(family, point, table, builder)
                if delta
                else _add_known(family, point, builder)
            ):
                continue
            stream, start_ms, time_ms = place(
                family, point, table, builder, cumulative=temporality == CUMULATIVE
            )
            value = number(point)
            tags = stream.variant(*(_RISING if monotonic else _STANDING))
            if not monotonic:
                add_standing(family, point, stream, temporality, table, builder)
            elif temporality == DELTA:
                begin_ms = begin_delta(family, stream, tags, (start_ms, time_ms), table)
                refuse_negative(value)
                close_gap(stream, [tags], begin_ms, table, builder)
                table.advance_delta(stream, start_ms, time_ms)
                builder.add_part(tags, begin_ms, time_ms, value)
            elif stream.meeting is not None:
                _add_shared(family, stream, tags, value, (start_ms, time_ms), table, builder)
            else:
                newest = time_ms > stream.last_ms
                _start_from_zero(
                    family, stream, [tags], when=(start_ms, time_ms), table=table, builder=builder
                )
                builder.add(tags, time_ms, value)
                if newest:
                    stream.total = value
            add_exemplars(point, tags, builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def _add_known(family: Family, point: Any, builder: BatchBuilder) -> bool:
    """Append the next point of a cumulative counter that goes on as before, if it is one."""
    stream = family.streams.get(tuple(point.attributes))
    if stream is None or point.flags or stream.meeting is not None:
        return False
    time_ms = point.time_unix_nano // NANOS_PER_MS
    started_ms = point.start_time_unix_nano // NANOS_PER_MS
    if started_ms != stream.start_ms or not stream.last_ms < time_ms <= NEWEST_MS:
        return False
    value = number(point)
    if time_ms != family.current_ms:
        family.note_export(time_ms)
    stream.last_ms = time_ms
    stream.total = value
    tags = stream.variant(SeriesKind.COUNTER, "count")
    builder.add(tags, time_ms, value)
    if point.exemplars:
        add_exemplars(point, tags, builder)
    return True


def _add_shared(
    family: Family,
    stream: Stream,
    tags: Tags,
    value: float,
    when: tuple[int, int],
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Add what a cumulative counter counted since its last point to a series that others feed."""
    begin = begin_shared(family, stream, when, table)
    if begin is None or not math.isfinite(value):
        return
    begin_ms, before = begin.time_ms, 0.0 if begin.from_zero else stream.total
    if begin_ms >= 0:
        builder.add_part(tags, begin_ms, when[1], max(0.0, value - before))
    table.advance(stream, *when)
    stream.total = value


def add_standing(
    family: Family,
    point: Any,
    stream: Stream,
    temporality: int,
    table: StreamTable,
    builder: BatchBuilder,
) -> None:
    """Append a point of a sum that may fall: a gauge, the sum of all that share the series."""
    value, tags = number(point), stream.variant(*_STANDING)
    time_ms = point.time_unix_nano // NANOS_PER_MS
    if temporality == DELTA:
        counted = table.recall(stream, tags) if stream.last_ms == -1 else None
        refuse_repeated(max(stream.last_ms, counted.time_ms if counted else -1), time_ms)
        before = counted.value if counted and counted.value == counted.value else stream.total
        value = before + value if math.isfinite(value) else before
    family.note_export(time_ms)
    newest = time_ms >= stream.last_ms
    start_ms = (
        stream.start_ms if temporality == DELTA else point.start_time_unix_nano // NANOS_PER_MS
    )
    table.advance(stream, start_ms, max(time_ms, stream.last_ms))
    if newest:
        stream.total = value
    if stream.meeting is None or not stream.meeting.adds:
        show_gauge(stream, tags, time_ms, value, builder)
    elif newest:
        total = standing_total(stream.meeting.streams, time_ms)
        builder.add_part(tags, time_ms, time_ms, total)


def _add_next_delta(family: Family, point: Any, table: StreamTable, builder: BatchBuilder) -> bool:
    """Append a delta that begins where the last one of its stream ended, if it is one."""
    stream = family.streams.get(tuple(point.attributes))
    if stream is None or point.flags:
        return False
    start_ms = point.start_time_unix_nano // NANOS_PER_MS
    time_ms = point.time_unix_nano // NANOS_PER_MS
    if start_ms != stream.last_ms or not start_ms < time_ms <= NEWEST_MS:
        return False
    value = number(point)
    refuse_negative(value)
    if time_ms != family.current_ms:
        family.note_export(time_ms)
    table.advance_delta(stream, start_ms, time_ms)
    tags = stream.variant(SeriesKind.COUNTER, "count")
    builder.add_part(tags, start_ms, time_ms, value)
    if point.exemplars:
        add_exemplars(point, tags, builder)
    return True


def add_summary(family: Family, points: Any, table: StreamTable, builder: BatchBuilder) -> None:
    """Append a summary: counters for count and total, a gauge for each quantile."""
    for point in points:
        try:
            _add_summary_point(family, point, table, builder)
        except DecodeError as error:
            refuse_point(error, family, builder)


def _add_summary_point(
    family: Family, point: Any, table: StreamTable, builder: BatchBuilder
) -> None:
    stream, start_ms, time_ms = place(family, point, table, builder, cumulative=True)
    counters = [stream.variant(*_RISING), stream.variant(SeriesKind.COUNTER, "totalAmount")]
    now = (float(point.count), float(point.sum))
    newest = time_ms > stream.last_ms
    if stream.meeting is None:
        _start_from_zero(
            family, stream, counters, when=(start_ms, time_ms), table=table, builder=builder
        )
        builder.add_column(counters, time_ms, now)
    else:
        begin = begin_shared(family, stream, (start_ms, time_ms), table)
        if begin is None:
            return
        before = (0.0, 0.0) if begin.from_zero else (stream.count, stream.total)
        table.advance(stream, start_ms, time_ms)
        if begin.time_ms >= 0:
            for tags, value, last in zip(counters, now, before, strict=True):
                builder.add_part(tags, begin.time_ms, time_ms, max(0.0, value - last))
    if newest:
        stream.count, stream.total = now
    quantiles = point.quantile_values[:MAX_QUANTILES]
    tags_of = [stream.variant(SeriesKind.GAUGE, f"quantile.{q.quantile:g}") for q in quantiles]
    show_gauges(stream, tags_of, time_ms, [q.value for q in quantiles], builder)


def place(
    family: Family,
    point: Any,
    table: StreamTable,
    builder: BatchBuilder,
    *,
    cumulative: bool = False,
) -> tuple[Stream, int, int]:
    """Return the point's stream (not yet advanced), its start and its time, epoch milliseconds."""
    time_ms = point.time_unix_nano // NANOS_PER_MS
    if time_ms == 0:
        raise DecodeError("noTimestamp: a data point has no time_unix_nano")
    if time_ms > NEWEST_MS:
        raise DecodeError(
            f"badTimestamp: time_unix_nano {point.time_unix_nano} is beyond year 2200"
        )
    stream = table.stream(family, point.attributes)
    if stream.dropped and stream.last_ms == -1:
        shown = ", ".join(sorted(stream.dropped))[:200]
        detail = f"more than {table.limits.max_tags} tags; these attributes are none: {shown}"
        builder.warn("attributesDropped", detail, {"name": family.name})
    start_ms = point.start_time_unix_nano // NANOS_PER_MS
    if cumulative:
        stream = table.writer(stream, start_ms)
    return stream, start_ms, time_ms


def refuse_point(error: DecodeError, family: Family, builder: BatchBuilder) -> None:
    """Note a refusal whose message begins with its reason and a colon."""
    reason, _, detail = error.message.partition(": ")
    if not detail or " " in reason:
        reason, detail = "invalidPoint", error.message
    builder.refuse(reason, detail, {"name": family.name})


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
