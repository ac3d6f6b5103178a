"""The tables of history."""

from __future__ import annotations

import numpy as np

SAMPLE_ROW = np.dtype([("series", "<u8"), ("time", "<i8"), ("value", "<f8")])

# Values: what people measure has few decimals, so that the same bytes come again: ZSTD alone takes
# 1.3 and 2.1 bytes a sample of rates and of hundredths where Gorilla before it takes 1.8 and 4.4.
VALUES = "CODEC(ZSTD(1))"

# Parts that were merged are kept for eight minutes, in case that the machine stops before the disk
# has the new one; where that is waited for, half a minute does.
KEPT = "min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 30"

# Rows are written again when late samples changed a block: the engine keeps the newest. A time is
# the end of its interval, so midnight belongs to the day before.
SERIES = """
CREATE TABLE IF NOT EXISTS {database}.metric_series (
    series UInt64,
    kind LowCardinality(String),
    tags Map(LowCardinality(String), String)
) ENGINE = ReplacingMergeTree ORDER BY series
"""

ROLLUP_SERIES = SERIES.replace("metric_series", "metric_rollup_series")

ROLLUP_MAP = """
CREATE TABLE IF NOT EXISTS {database}.metric_rollup_map (
    series UInt64,
    kind LowCardinality(String),
    rolled UInt64
) ENGINE = ReplacingMergeTree ORDER BY series
"""

SAMPLES = (
    """
CREATE TABLE IF NOT EXISTS {database}.metric_samples (
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    value Float64 CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMMDD(time - toIntervalMillisecond(1))
ORDER BY (series, time)
SETTINGS """
    + KEPT
)

ROLLUP = (
    """
CREATE TABLE IF NOT EXISTS {database}.metric_rollup (
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    sum Float64 CODEC(ZSTD(1)),
    count Float64 CODEC(ZSTD(1)),
    min Float64 CODEC(ZSTD(1)),
    max Float64 CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(time - toIntervalMillisecond(1))
ORDER BY (series, time)
SETTINGS """
    + KEPT
)

# With the columns that the OpenTelemetry Collector's ClickHouse exporter gives them, so that either
# can read the other's rows (opentelemetry-collector-contrib, exporter/clickhouseexporter): the
# spans, when each trace was, and the view that keeps the latter up with the former. The exporter
# orders spans by service first; by minute first, the newest of 10,000,000 are found with a third to
# a seventh of the work.
SPANS = """
CREATE TABLE IF NOT EXISTS {database}.otel_traces (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfMinute(Timestamp), ServiceName, SpanName, Timestamp)
"""

TRACE_TIMES = """
CREATE TABLE IF NOT EXISTS {database}.otel_traces_trace_id_ts (
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
"""

TRACE_TIMES_VIEW = """
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.otel_traces_trace_id_ts_mv
TO {database}.otel_traces_trace_id_ts
AS SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {database}.otel_traces WHERE TraceId != '' GROUP BY TraceId
"""

# Words without regard to case; the exporter's own index knows capitals, and eight times as many
# lines fill it up.
WORDS = "INDEX idx_words lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1"

# As the Collector's exporter creates it as well, but for some of its indices, which no search of
# ours asks for, and for that of words.
LOGS = (
    """
CREATE TABLE IF NOT EXISTS {database}.otel_logs (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TimestampTime DateTime DEFAULT toDateTime(Timestamp),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8,
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    """
    + WORDS
    + """
) ENGINE = MergeTree PARTITION BY toDate(TimestampTime)
PRIMARY KEY (ServiceName, TimestampTime) ORDER BY (ServiceName, TimestampTime, Timestamp)
"""
)

# What a table made by an earlier version takes over, with what is written from now on.
NEWER = {
    "metric_samples": (f"MODIFY COLUMN value Float64 {VALUES}", f"MODIFY SETTING {KEPT}"),
    "metric_rollup": (
        *(f"MODIFY COLUMN {name} Float64 {VALUES}" for name in ("sum", "count", "min", "max")),
        f"MODIFY SETTING {KEPT}",
    ),
}

# Of lines that were written before, the index knows nothing: they are read. The table of a server
# may be another program's; whoever owns it decides.
NEWER_LOGS = (
    f"ALTER TABLE {{database}}.otel_logs ADD {WORDS.replace('INDEX', 'INDEX IF NOT EXISTS')}"
)

METRICS = (SERIES, SAMPLES, ROLLUP_SERIES, ROLLUP_MAP, ROLLUP)
TRACES = (SPANS, TRACE_TIMES, TRACE_TIMES_VIEW)
