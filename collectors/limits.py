"""What strangers may send, and how much memory, time and disk it may take: one table for all.

Whoever opens the stores makes one :class:`Limits` and hands the same to receivers and stores, so
that a bound means the same wherever a sample passes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds; the defaults suit one machine and are looser than Atlas's.

    Requests:
        max_body_bytes: Largest request body, before and after decompression (OTLP: 64 MiB).
        max_in_flight: Requests decoded or stored at one time; more are answered 503.
        max_in_flight_bytes: Bytes of all requests in work, before and after decompression.
        body_timeout_s: How long a client may take to send its body.
        retry_after_s: What an overloaded receiver tells its clients to wait.
        max_batch_samples: Most samples in one request or datagram group.
        max_body_parts: Most parts of one body, such as fields of protobuf at all levels. They are
            counted before anything is made of them.
        max_json_parts: The same for JSON, whose texts, lists and objects are parts, as is whatever
            a comma divides; the interpreter stands still while it makes them.
        max_body_cpu_s: Seconds of CPU that decoding one body may take.
        max_body_series: Most series in one remote-write body.
        max_body_labels: Most labels of unknown series in one remote-write body.

    Connections:
        max_connections: Connections to all HTTP servers at once; the one that has been idle for
            longest is closed for a new one. Less where fewer files may be open.
        max_peer_connections: The same for those from one address.
        max_grpc_connections: Connections to OTLP/gRPC at once; more are refused.
        header_timeout_s: How long a client may take to send the head of a request, from when it
            connects or begins one.
        max_header_bytes: Largest head of a request.
        connection_idle_s: A connection between requests is closed after this long.
        write_timeout_s: A client that reads nothing of its answer for this long is cut off.

    Series:
        max_tags: Most tags of one series, ``name`` included.
        max_tag_key_chars: Longest tag key.
        max_tag_value_chars: Longest tag value, the name among them.
        max_series: Series held at once; more are refused until others expire.
        new_series_per_minute: New series admitted in any minute of the store's clock.
        max_streams: Streams whose last state a receiver remembers (cumulative starts, deltas);
            a histogram counts as 32.
        max_families: Metrics of resources that a receiver remembers.
        max_meter_series: Series that spectator meters may make up.
        stream_idle_ms: A remembered stream not heard of for this long is forgotten.

    Samples:
        memory_bytes: Memory for hot blocks. Every admitted series has room for the whole hot
            window, so the bound refuses *new* series and never data of known ones.
        max_future_ms: How far ahead of the clock a sample may be.
        zero_point_ms: A counter first seen at most this long after its start gets a zero at its
            start, so that its first interval is counted; an older start would smear the past.
        grace_ms: How long after the end of an interval it counts as complete, for samples that
            are still on their way.
        max_fetch_values: Lines × columns that one fetch may answer.

    Disk:
        checkpoint_log_bytes: Log written since the last checkpoint that starts the next one.
        journal_bytes: Size at which the oldest segments of the shared journal are dropped.
        history_settle_ms: How long a block waits for late samples before history takes it.
        history_samples_ms: Age at which history rolls whole days up.
        history_retention_ms: Age at which history drops rollups.

    Spans:
        max_spans_per_request: Most spans in one request.
        max_span_attributes: Attributes kept on one span, event or link; the rest are dropped.
        max_attribute_chars: Longer text values of span attributes are cut.
        max_spans: Spans kept in memory; the oldest traces go first, those with errors, slow ones,
            those of rare routes and of exemplars last.
        max_span_bytes: Size of the spans kept, as they stand in the log; memory takes a few times
            that.
        max_span_age_ms: Traces that began longer ago are dropped from memory.
        max_span_late_ms: With an archive, spans up to this age are still taken; they go straight
            there.
        max_span_future_ms: Spans that start further ahead of the clock are refused.
        max_trace_spans: Most spans of one trace in memory and in an answer; of a larger one the
            root, the errors and the critical path are kept, then the longest spans.
        max_calls: Calls between services that the service map remembers; the oldest go first.
        pair_wait_ms: How long a client span waits for its server span before the edge is drawn
            to a node named by its attributes.
        max_skew_ms: A larger clock difference between hosts is not corrected.

    Logs:
        max_logs_per_request: Most log records in one request.
        max_log_chars: Longer texts of log records are cut, and told. Attributes are bounded as
            those of spans.
        max_log_bytes: Memory for the newest log records; the oldest go first, and stay in history.
        log_journal_bytes: Size at which the oldest segments of their write-ahead log are dropped.
        max_log_late_ms: Log records that are older are refused.
        max_log_future_ms: Log records further ahead of the clock are refused.
    """

    max_body_bytes: int = 64 << 20
    max_in_flight: int = 64
    max_in_flight_bytes: int = 512 << 20
    body_timeout_s: float = 30.0
    retry_after_s: int = 1
    max_batch_samples: int = 2_000_000
    max_body_parts: int = 4_000_000
    max_json_parts: int = 1_000_000
    max_body_cpu_s: float = 5.0
    max_body_series: int = 100_000
    max_body_labels: int = 500_000

    max_connections: int = 4_096
    max_peer_connections: int = 2_048
    max_grpc_connections: int = 1_024
    header_timeout_s: float = 10.0
    max_header_bytes: int = 64 << 10
    connection_idle_s: float = 75.0
    write_timeout_s: float = 30.0

    max_tags: int = 30
    max_tag_key_chars: int = 120
    max_tag_value_chars: int = 255
    max_series: int = 2_000_000
    new_series_per_minute: int = 2_000_000
    max_streams: int = 1_000_000
    max_families: int = 100_000
    max_meter_series: int = 300_000
    stream_idle_ms: int = 15 * 60_000

    memory_bytes: int = 4 << 30
    max_future_ms: int = 120_000
    zero_point_ms: int = 5 * 60_000
    grace_ms: int = 0
    max_fetch_values: int = 50_000_000

    checkpoint_log_bytes: int = 256 << 20
    journal_bytes: int = 512 << 20
    history_settle_ms: int = 120_000
    history_samples_ms: int = 14 * 86_400_000
    history_retention_ms: int = 400 * 86_400_000

    max_spans_per_request: int = 200_000
    max_span_attributes: int = 128
    max_attribute_chars: int = 4_096
    max_spans: int = 500_000
    max_span_bytes: int = 512 << 20
    max_span_age_ms: int = 2 * 3_600_000
    max_span_late_ms: int = 14 * 86_400_000
    max_span_future_ms: int = 600_000
    max_trace_spans: int = 20_000
    max_calls: int = 2_000_000
    pair_wait_ms: int = 10_000
    max_skew_ms: int = 3_600_000

    max_logs_per_request: int = 200_000
    max_log_chars: int = 32_768
    max_log_bytes: int = 512 << 20
    log_journal_bytes: int = 512 << 20
    max_log_late_ms: int = 14 * 86_400_000
    max_log_future_ms: int = 600_000
