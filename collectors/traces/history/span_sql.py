"""A trace search as SQL, with the meaning that it has in memory."""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from collectors.history.engine import quoted
from collectors.traces.heat import Grid
from collectors.traces.history.query_sql import spans_sql_of, traces_sql, whole_traces_sql
from collectors.traces.history.span_rows import (
    COLUMNS,
    IDENTITY_COLUMNS,
    LEAN_COLUMNS,
    NEWEST_NS,
    SLIM_COLUMNS,
)
from collectors.traces.search import NANOS_PER_MS, Box, TraceSearch

# A trace that reaches over the edge of what is looked through is still seen whole if it is not
# longer than this.
SLACK_MS = 600_000
# Spans that all summaries of one search are made from.
MAX_SUMMARY_SPANS = 300_000
_ENDS = "toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)"
_LENGTH = f"(max({_ENDS}) - min(toUnixTimestamp64Nano(Timestamp)))"
_BUDGET = " SETTINGS max_execution_time = 10"
_NEVER_MS = NEWEST_NS // NANOS_PER_MS
# What tells how many spans one stands for, without what is different in each trace.
_OT = "extract(TraceState, '(?:^|,)[ ]*ot=([^,]*)')"
_SAMPLING = (
    f"if(TraceState = '', '', concat('ot=th:', extract({_OT}, '(?:^|;)th:([0-9a-f]+)'), "
    f"';p:', extract({_OT}, '(?:^|;)p:([0-9]+)')))"
)


def found_sql(
    table: str, wanted: TraceSearch, window: tuple[int, int], limit: int, began_by_ms: int | None
) -> str:
    """Return a statement for traces by the first of their spans in a window that may be meant.

    Of each its id, and when that span began, epoch nanoseconds; the latest come first. The trace
    itself may have begun before: nothing but the window is read, unless the search asks for more
    than one span can tell.

    Args:
        table: Of the spans.
        wanted: What is looked for.
        window: Half-open, epoch milliseconds.
        limit: Most traces.
        began_by_ms: Traces of which no span began by then are left out, if it is given.
    """
    start_ms, end_ms = window
    around = _within(start_ms - SLACK_MS, end_ms + SLACK_MS)
    conditions = [_within(start_ms, end_ms), *span_conditions(wanted)]
    if not wanted.about_span and (having := _durations(_LENGTH, wanted)):
        lasting = f"SELECT TraceId FROM {table} WHERE {around} GROUP BY TraceId"
        conditions.append(f"TraceId IN ({lasting} HAVING {' AND '.join(having)})")
    if wanted.query is not None:
        one, others = spans_sql_of(wanted.query, table, around)
        if len(conditions) > 1 or one is None:
            one, others = None, traces_sql(wanted.query, table, around)
        conditions += filter(None, (one, others))
    if began_by_ms is not None:
        before = _within(began_by_ms - SLACK_MS, began_by_ms + 1)
        conditions.append(f"TraceId IN (SELECT TraceId FROM {table} WHERE {before})")
    return (
        f"SELECT TraceId, toUnixTimestamp64Nano(min(Timestamp)) AS first_ns FROM {table} "
        f"WHERE {' AND '.join(conditions)} GROUP BY TraceId "
        f"ORDER BY first_ns DESC, TraceId LIMIT {limit}{_BUDGET}"
    )


def candidates_sql(
    table: str, wanted: TraceSearch, start_ms: int, end_ms: int, limit: int, offset: int = 0
) -> str:
    """Return a statement for matching traces that began within [start_ms, end_ms).

    Of each its id, and when its first and its last span began, epoch milliseconds.

    The newest come first. Spans are read with :data:`SLACK_MS` to both sides, so that a trace's
    beginning and duration are its own and not those of the part within.
    """
    having = [f"min(Timestamp) >= {_time(start_ms)}", f"min(Timestamp) < {_time(end_ms)}"]
    if not wanted.about_span:
        having += _durations(_LENGTH, wanted)
    conditions = [_within(start_ms - SLACK_MS, end_ms + SLACK_MS)]
    about = span_conditions(wanted)
    if about:
        matching = " AND ".join([_within(start_ms, end_ms + SLACK_MS), *about])
        conditions.append(f"TraceId IN (SELECT TraceId FROM {table} WHERE {matching})")
    if wanted.query is not None:
        within = _within(start_ms, end_ms + SLACK_MS)
        conditions += filter(None, [traces_sql(wanted.query, table, within)])
    return (
        "SELECT TraceId, toUnixTimestamp64Milli(min(Timestamp)), "
        f"toUnixTimestamp64Milli(max(Timestamp)) FROM {table} WHERE {' AND '.join(conditions)} "
        f"GROUP BY TraceId HAVING {' AND '.join(having)} "
        f"ORDER BY min(Timestamp) DESC, TraceId LIMIT {limit} OFFSET {offset}{_BUDGET}"
    )


def summaries_sql(
    table: str, trace_ids: Iterable[str], start_ms: int, end_ms: int, most: int
) -> str:
    """Return a statement for the slim columns of traces' spans within [start_ms, end_ms].

    Of a trace with more than ``most`` spans those without a parent come first, then the oldest.
    """
    return (
        f"SELECT * FROM (SELECT {SLIM_COLUMNS} FROM {table} WHERE TraceId IN ({_list(trace_ids)}) "
        f"AND {_within(start_ms, end_ms + 1)} ORDER BY ParentSpanId != '', Timestamp "
        f"LIMIT 1 BY TraceId, {IDENTITY_COLUMNS}) LIMIT {most} BY TraceId "
        f"LIMIT {MAX_SUMMARY_SPANS}{_BUDGET}"
    )


def whole_sql(
    table: str,
    trace_ids: Iterable[str],
    window: tuple[int, int],
    most: int,
    columns: str,
    rows: str = "true",
) -> str:
    """Return a statement for columns of traces, one after the other, ``most`` spans in all.

    Their spans began within the window, both ends included: the narrower, the less is read. With a
    condition on ``rows`` only those.
    """
    within = _within(window[0], window[1] + 1)
    return whole_traces_sql(table, _list(trace_ids), within, most, columns, rows) + _BUDGET


def totals_sql(table: str, trace_id: str, start_ms: int, end_ms: int) -> str:
    """Return a statement for the number of spans and of errors of a trace, and its last end."""
    return (
        f"SELECT count(), countIf(failed), max(end_ns) FROM (SELECT {IDENTITY_COLUMNS}, "
        f"max(StatusCode = 'Error') AS failed, max({_ENDS}) AS end_ns FROM {table} "
        f"WHERE TraceId = {quoted(trace_id)} AND {_within(start_ms, end_ms)} "
        f"GROUP BY {IDENTITY_COLUMNS}){_BUDGET}"
    )


def outline_sql(table: str, trace_id: str, start_ms: int, end_ms: int, most: int) -> str:
    """Return a statement for the slim columns of a trace within [start_ms, end_ms).

    Of more than ``most`` spans those without a parent come first, then errors, then the longest.
    """
    return (
        f"SELECT {SLIM_COLUMNS} FROM {table} WHERE TraceId = {quoted(trace_id)} "
        f"AND {_within(start_ms, end_ms)} "
        "ORDER BY ParentSpanId != '', StatusCode != 'Error', Duration DESC "
        f"LIMIT 1 BY {IDENTITY_COLUMNS} LIMIT {most}{_BUDGET}"
    )


def trace_sql(
    table: str,
    trace_id: str,
    start_ms: int,
    end_ms: int,
    *,
    span_ids: Sequence[str] = (),
    limit: int = MAX_SUMMARY_SPANS,
) -> str:
    """Return a statement for the spans of a trace that began within [start_ms, end_ms).

    With ``span_ids`` only those; at most ``limit``.
    """
    # Not compared with DateTime: with an index on the day, 5.5 < toDateTime(6) is false.
    chosen = f"AND SpanId IN ({_list(span_ids)}) " if span_ids else ""
    return (
        f"SELECT {COLUMNS} FROM {table} WHERE TraceId = {quoted(trace_id)} {chosen}"
        f"AND {_within(start_ms, end_ms)} "
        f"ORDER BY Timestamp, SpanId LIMIT 1 BY {IDENTITY_COLUMNS} LIMIT {limit}"
    )


def held_sql(table: str, trace_ids: Iterable[str], start_ms: int, end_ms: int) -> str:
    """Return a statement for trace and identity of spans that began within [start_ms, end_ms]."""
    return (
        f"SELECT TraceId, {IDENTITY_COLUMNS} FROM {table} WHERE TraceId IN ({_list(trace_ids)}) "
        f"AND {_within(start_ms, end_ms + 1)}"
    )


def heat_sql(
    table: str,
    wanted: TraceSearch,
    grid: Grid,
    bounds_ns: Sequence[int],
    end_ms: int,
    *,
    copies: bool = False,
) -> str:
    """Return a statement for spans by column, row, failure and sampling, those before ``end_ms``.

    Durations are rounded down to one of ``bounds_ns``. A span that was written twice counts twice,
    unless ``copies`` says that several may have written it: telling them apart costs time.
    """
    spans = f"uniqExact(TraceId, {IDENTITY_COLUMNS})" if copies else "count()"
    since = f"toUnixTimestamp64Milli(Timestamp) - {grid.start_ms}"
    own = replace(wanted, min_duration_ms=None, max_duration_ms=None)
    conditions = [_within(grid.start_ms, end_ms), *span_conditions(own)]
    conditions += _durations("Duration", wanted)
    return (
        f"SELECT intDiv({since}, {grid.step_ms}) AS at, "
        f"roundDown(Duration, {list(bounds_ns)}) AS took, StatusCode = 'Error' AS failed, "
        f"{_SAMPLING} AS sampling, {spans} FROM {table} WHERE {' AND '.join(conditions)} "
        f"GROUP BY at, took, failed, sampling{_BUDGET}"
    )


def spans_sql(table: str, wanted: TraceSearch, before_ms: int | None, most: int) -> str:
    """Return a statement for the newest spans that a search means; durations are their own."""
    end_ms = wanted.box.end_ms if wanted.box else wanted.end_ms
    ends = [int(end) for end in (before_ms, None if end_ms is None else end_ms + 1) if end]
    conditions = [_within(wanted.start_ms or 0, min(ends, default=_NEVER_MS))]
    conditions += span_conditions(replace(wanted, min_duration_ms=None, max_duration_ms=None))
    conditions += _durations("Duration", wanted)
    return (
        f"SELECT {LEAN_COLUMNS} FROM {table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY Timestamp DESC LIMIT 1 BY TraceId, {IDENTITY_COLUMNS} LIMIT {most}{_BUDGET}"
    )


def span_conditions(wanted: TraceSearch) -> list[str]:
    """Return the conditions that one and the same span must satisfy."""
    parts = []
    if wanted.service:
        parts.append(f"ServiceName = {quoted(wanted.service)}")
    if wanted.operation:
        parts.append(f"SpanName = {quoted(wanted.operation)}")
    if wanted.error is not None:
        parts.append(f"StatusCode {'=' if wanted.error else '!='} 'Error'")
    if wanted.about_span:
        parts += _durations("Duration", wanted)
    if wanted.box is not None:
        parts += _boxed(wanted.box)
    return parts + [_has_tag(key, value) for key, value in wanted.tags.items()]


def _boxed(box: Box) -> list[str]:
    return [
        f"toUnixTimestamp64Nano(Timestamp) >= {round(box.start_ms * NANOS_PER_MS)}",
        f"toUnixTimestamp64Nano(Timestamp) < {round(box.end_ms * NANOS_PER_MS)}",
        f"Duration >= {_nanos(box.min_ms)}",
        f"Duration < {_nanos(box.max_ms)}",
    ]


def _has_tag(key: str, value: str) -> str:
    """The span's attributes decide, else its resource, else any of its events."""
    k, v = quoted(key), quoted(value)
    return (
        f"multiIf(mapContains(SpanAttributes, {k}), SpanAttributes[{k}] = {v}, "
        f"mapContains(ResourceAttributes, {k}), ResourceAttributes[{k}] = {v}, "
        f"arrayExists(tags -> tags[{k}] = {v}, Events.Attributes))"
    )


def _durations(expression: str, wanted: TraceSearch) -> list[str]:
    parts = []
    if wanted.min_duration_ms is not None:
        parts.append(f"{expression} >= {_nanos(wanted.min_duration_ms)}")
    if wanted.max_duration_ms is not None:
        parts.append(f"{expression} <= {_nanos(wanted.max_duration_ms)}")
    return parts


def _nanos(duration_ms: float) -> int:
    return min(round(duration_ms * NANOS_PER_MS), (1 << 62))


def _within(start_ms: int, end_ms: int) -> str:
    return f"Timestamp >= {_time(start_ms)} AND Timestamp < {_time(end_ms)}"


def _time(time_ms: int) -> str:
    return f"fromUnixTimestamp64Nano({max(0, time_ms) * NANOS_PER_MS})"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(map(quoted, texts))
