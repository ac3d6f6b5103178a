"""Bounds on everything that a stranger sends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverLimits:
    """Limits shared by the receivers; the defaults suit one machine.

    Attributes:
        max_body_bytes: Largest request body, before and after decompression (OTLP: 64 MiB).
        max_in_flight: Requests decoded or stored at one time; more are answered 503.
        max_in_flight_bytes: Bytes of all requests in work, before and after decompression.
        body_timeout_s: How long a client may take to send its body.
        retry_after_s: What an overloaded receiver tells its clients to wait.
        max_tags: Most tags of one series, ``name`` included.
        max_tag_key_chars: Longest tag key.
        max_tag_value_chars: Longest tag value.
        max_batch_samples: Most samples in one request or datagram group.
        max_streams: Streams whose last state a receiver remembers (cumulative starts, deltas);
            a histogram counts as 32.
        max_meter_series: Series that spectator meters may make up.
        max_families: Metrics of resources that a receiver remembers.
        stream_idle_ms: A remembered stream not heard of for this long is forgotten.
        zero_point_ms: A counter first seen at most this long after its start gets a zero at its
            start, so that its first interval is counted; an older start would smear the past.
        max_spans_per_request: Most spans in one request.
        max_span_attributes: Attributes kept on one span, event or link; the rest are dropped.
        max_attribute_chars: Longer text values of span attributes are cut.
    """

    max_body_bytes: int = 64 * 1024 * 1024
    max_in_flight: int = 64
    max_in_flight_bytes: int = 512 * 1024 * 1024
    body_timeout_s: float = 30.0
    retry_after_s: int = 1
    max_tags: int = 30
    max_tag_key_chars: int = 120
    max_tag_value_chars: int = 255
    max_batch_samples: int = 2_000_000
    max_streams: int = 1_000_000
    max_meter_series: int = 300_000
    max_families: int = 100_000
    stream_idle_ms: int = 15 * 60_000
    zero_point_ms: int = 5 * 60_000
    max_spans_per_request: int = 200_000
    max_span_attributes: int = 128
    max_attribute_chars: int = 4_096
