"""The tables of history: the one place in which they are defined."""

from __future__ import annotations

import numpy as np

from collectors.history.tables import Column, Definition, Table, View

SAMPLE_ROW = np.dtype([("series", "<u8"), ("time", "<i8"), ("value", "<f8")])

# Values: what people measure has few decimals, so that the same bytes come again: ZSTD alone takes
# 1.3 and 2.1 bytes a sample of rates and of hundredths where Gorilla before it takes 1.8 and 4.4.
VALUES = "CODEC(ZSTD(1))"
_PACKED = "CODEC(ZSTD(1))"
_STEPS = "CODEC(DoubleDelta, ZSTD(1))"
_WORD = "LowCardinality(String)"
_WORDS_BY_KEY = "Map(LowCardinality(String), String)"
_NANOS = "DateTime64(9)"

# Parts that were merged are kept for eight minutes, in case that the machine stops before the disk
# has the new one; where that is waited for, half a minute does.
KEPT = "min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 30"

# Spans and lines are appended: a batch that comes again is known by its token. This many insertions
# into a partition are remembered, hours of them.
REMEMBERED = 1_000
_REMEMBERING = f"MODIFY SETTING non_replicated_deduplication_window = {REMEMBERED}"


def _series(name: str) -> Table:
    return Table(
        name=name,
        columns=(
            Column(name="series", type="UInt64"),
            Column(name="kind", type=_WORD),
            Column(name="tags", type=_WORDS_BY_KEY),
        ),
        engine="ReplacingMergeTree",
        keys="ORDER BY series",
        shard_by="series",
    )


# Rows are written again when late samples changed a block: the engine keeps the newest. A time is
# the end of its interval, so midnight belongs to the day before.
SERIES = _series("metric_series")

ROLLUP_SERIES = _series("metric_rollup_series")

ROLLUP_MAP = Table(
    name="metric_rollup_map",
    columns=(
        Column(name="series", type="UInt64"),
        Column(name="kind", type=_WORD),
        Column(name="rolled", type="UInt64"),
    ),
    engine="ReplacingMergeTree",
    keys="ORDER BY series",
    shard_by="series",
)

_ROW = (
    Column(name="series", type="UInt64", rest=_PACKED),
    Column(name="time", type="DateTime64(3, 'UTC')", rest=_STEPS),
)

SAMPLES = Table(
    name="metric_samples",
    columns=(*_ROW, Column(name="value", type="Float64", rest=VALUES)),
    engine="ReplacingMergeTree",
    keys="PARTITION BY toYYYYMMDD(time - toIntervalMillisecond(1)) ORDER BY (series, time)",
    shard_by="series",
    settings=KEPT,
)

_ROLLED = ("sum", "count", "min", "max")

ROLLUP = Table(
    name="metric_rollup",
    columns=(*_ROW, *(Column(name=name, type="Float64", rest=VALUES) for name in _ROLLED)),
    engine="ReplacingMergeTree",
    keys="PARTITION BY toYYYYMM(time - toIntervalMillisecond(1)) ORDER BY (series, time)",
    shard_by="series",
    settings=KEPT,
)

# With the columns that the OpenTelemetry Collector's ClickHouse exporter gives them, so that either
# can read the other's rows (opentelemetry-collector-contrib, exporter/clickhouseexporter): the
# spans, when each trace was, and the view that keeps the latter up with the former. The exporter
# orders spans by service first; by minute first, the newest of 10,000,000 are found with a third to
# a seventh of the work. Names with a dot are its nested columns.
SPANS = Table(
    name="otel_traces",
    columns=(
        Column(name="Timestamp", type=_NANOS, rest="CODEC(Delta(8), ZSTD(1))"),
        Column(name="TraceId", type="String", rest=_PACKED),
        Column(name="SpanId", type="String", rest=_PACKED),
        Column(name="ParentSpanId", type="String", rest=_PACKED),
        Column(name="TraceState", type="String", rest=_PACKED),
        Column(name="SpanName", type=_WORD, rest=_PACKED),
        Column(name="SpanKind", type=_WORD, rest=_PACKED),
        Column(name="ServiceName", type=_WORD, rest=_PACKED),
        Column(name="ResourceAttributes", type=_WORDS_BY_KEY, rest=_PACKED),
        Column(name="ScopeName", type="String", rest=_PACKED),
        Column(name="ScopeVersion", type="String", rest=_PACKED),
        Column(name="SpanAttributes", type=_WORDS_BY_KEY, rest=_PACKED),
        Column(name="Duration", type="UInt64", rest=_PACKED),
        Column(name="StatusCode", type=_WORD, rest=_PACKED),
        Column(name="StatusMessage", type="String", rest=_PACKED),
        Column(name="Events.Timestamp", type=f"Array({_NANOS})", rest=_PACKED),
        Column(name="Events.Name", type=f"Array({_WORD})", rest=_PACKED),
        Column(name="Events.Attributes", type=f"Array({_WORDS_BY_KEY})", rest=_PACKED),
        Column(name="Links.TraceId", type="Array(String)", rest=_PACKED),
        Column(name="Links.SpanId", type="Array(String)", rest=_PACKED),
        Column(name="Links.TraceState", type="Array(String)", rest=_PACKED),
        Column(name="Links.Attributes", type=f"Array({_WORDS_BY_KEY})", rest=_PACKED),
    ),
    indexes=(
        "idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1",
        "idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
        "idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
        "idx_duration Duration TYPE minmax GRANULARITY 1",
    ),
    engine="MergeTree",
    keys="PARTITION BY toDate(Timestamp)\n"
    "ORDER BY (toStartOfMinute(Timestamp), ServiceName, SpanName, Timestamp)",
    shard_by="cityHash64(TraceId)",
    remembers=REMEMBERED,
    shared=True,
)

TRACE_TIMES = Table(
    name="otel_traces_trace_id_ts",
    columns=(
        Column(name="TraceId", type="String", rest=_PACKED),
        Column(name="Start", type="DateTime", rest="CODEC(Delta, ZSTD(1))"),
        Column(name="End", type="DateTime", rest="CODEC(Delta, ZSTD(1))"),
    ),
    indexes=("idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1",),
    engine="MergeTree",
    keys="PARTITION BY toDate(Start) ORDER BY (TraceId, Start)",
    shard_by="cityHash64(TraceId)",
    remembers=REMEMBERED,
    shared=True,
)

TRACE_TIMES_VIEW = View(
    name="otel_traces_trace_id_ts_mv",
    filled="otel_traces_trace_id_ts",
    read="otel_traces",
    select="SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End",
    rest="WHERE TraceId != '' GROUP BY TraceId",
)

# Words without regard to case; the exporter's own index knows capitals, and eight times as many
# lines fill it up.
WORDS = "idx_words lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1"

# As the Collector's exporter creates it as well, but for some of its indices, which no search of
# ours asks for, and for that of words. A trace's lines are on one shard; those without a trace are
# spread by their time.
LOGS = Table(
    name="otel_logs",
    columns=(
        Column(name="Timestamp", type=_NANOS, rest="CODEC(Delta(8), ZSTD(1))"),
        Column(name="TimestampTime", type="DateTime", rest="DEFAULT toDateTime(Timestamp)"),
        Column(name="TraceId", type="String", rest=_PACKED),
        Column(name="SpanId", type="String", rest=_PACKED),
        Column(name="TraceFlags", type="UInt8"),
        Column(name="SeverityText", type=_WORD, rest=_PACKED),
        Column(name="SeverityNumber", type="UInt8"),
        Column(name="ServiceName", type=_WORD, rest=_PACKED),
        Column(name="Body", type="String", rest=_PACKED),
        Column(name="ResourceSchemaUrl", type=_WORD, rest=_PACKED),
        Column(name="ResourceAttributes", type=_WORDS_BY_KEY, rest=_PACKED),
        Column(name="ScopeSchemaUrl", type=_WORD, rest=_PACKED),
        Column(name="ScopeName", type="String", rest=_PACKED),
        Column(name="ScopeVersion", type=_WORD, rest=_PACKED),
        Column(name="ScopeAttributes", type=_WORDS_BY_KEY, rest=_PACKED),
        Column(name="LogAttributes", type=_WORDS_BY_KEY, rest=_PACKED),
    ),
    indexes=(
        "idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1",
        "idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
        "idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
        WORDS,
    ),
    engine="MergeTree",
    keys="PARTITION BY toDate(TimestampTime)\n"
    "PRIMARY KEY (ServiceName, TimestampTime) ORDER BY (ServiceName, TimestampTime, Timestamp)",
    shard_by="if(TraceId = '', cityHash64(Timestamp), cityHash64(TraceId))",
    remembers=REMEMBERED,
    shared=True,
)

# What a table made by an earlier version takes over, with what is written from now on.
NEWER = {
    "metric_samples": (f"MODIFY COLUMN value Float64 {VALUES}", f"MODIFY SETTING {KEPT}"),
    "metric_rollup": (
        *(f"MODIFY COLUMN {name} Float64 {VALUES}" for name in _ROLLED),
        f"MODIFY SETTING {KEPT}",
    ),
}

# The table of a server may be another program's; whoever owns it decides.
NEWER_TRACES = (
    f"ALTER TABLE {{database}}.otel_traces {_REMEMBERING}",
    f"ALTER TABLE {{database}}.otel_traces_trace_id_ts {_REMEMBERING}",
)
# Of lines that were written before, the index knows nothing: they are read.
NEWER_LOGS = (
    f"ALTER TABLE {{database}}.otel_logs ADD INDEX IF NOT EXISTS {WORDS}",
    f"ALTER TABLE {{database}}.otel_logs {_REMEMBERING}",
)

METRICS: tuple[Definition, ...] = (SERIES, SAMPLES, ROLLUP_SERIES, ROLLUP_MAP, ROLLUP)
TRACES: tuple[Definition, ...] = (SPANS, TRACE_TIMES, TRACE_TIMES_VIEW)
EVERYTHING: tuple[Definition, ...] = (*METRICS, *TRACES, LOGS)
