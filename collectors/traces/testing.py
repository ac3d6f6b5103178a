"""Spans for tests, with only the interesting parts spelled out."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.model import AttributeValue, Span, SpanKind, SpanStatus
from collectors.traces.search import NANOS_PER_MS


def make_span(
    span_id: str = "1",
    *,
    trace: str = "a",
    parent: str = "",
    name: str = "op",
    service: str = "gateway",
    kind: SpanKind = SpanKind.INTERNAL,
    start_ms: float = 1_000,
    duration_ms: float = 10,
    error: bool = False,
    attributes: Mapping[str, AttributeValue] | None = None,
    resource: Mapping[str, AttributeValue] | None = None,
) -> Span:
    """Return a span; short ids are padded to their legal length."""
    start_ns = int(start_ms * NANOS_PER_MS)
    return Span(
        trace_id=trace.rjust(32, "0"),
        span_id=span_id.rjust(16, "0"),
        parent_span_id=parent.rjust(16, "0") if parent else "",
        name=name,
        kind=kind,
        start_ns=start_ns,
        end_ns=start_ns + int(duration_ms * NANOS_PER_MS),
        status=SpanStatus.ERROR if error else SpanStatus.UNSET,
        status_message="",
        service=service,
        resource=resource or {"service.name": service},
        attributes=attributes or {},
    )
