"""How many spans are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLimits:
    """Bounds of the span store.

    Attributes:
        max_spans: Spans kept in memory; the oldest traces go first.
        max_bytes: Size of the spans kept, as they stand in the log; memory takes a few times that.
        max_age_ms: Traces that began longer ago are dropped from memory.
        max_late_ms: With an archive, spans up to this age are still taken; they go straight there.
        max_trace_spans: Most spans of one trace; more are refused.
        max_future_ms: Spans that start further ahead of the clock are refused.
        pair_wait_ms: How long a client span waits for its server span before the edge is drawn
            to a node named by its attributes.
        max_skew_ms: A larger clock difference between hosts is not corrected.
    """

    max_spans: int = 500_000
    max_bytes: int = 512 * 1024 * 1024
    max_age_ms: int = 2 * 3_600_000
    max_late_ms: int = 14 * 86_400_000
    max_trace_spans: int = 20_000
    max_future_ms: int = 600_000
    pair_wait_ms: int = 10_000
    max_skew_ms: int = 3_600_000
