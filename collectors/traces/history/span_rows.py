"""A span as a row of ``otel_traces``, there and back.

Attribute values become text, as the Collector's exporter writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from collectors.attribute_text import text_of
from collectors.model import AttributeValue, Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from collectors.traces.tree.lineage import Identity, identity

COLUMNS = (
    "toUnixTimestamp64Nano(Timestamp), Duration, TraceId, SpanId, ParentSpanId, TraceState, "
    "SpanName, SpanKind, ServiceName, StatusCode, StatusMessage, ScopeName, ScopeVersion, "
    "ResourceAttributes, SpanAttributes, "
    "arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp), Events.Name, Events.Attributes, "
    "Links.TraceId, Links.SpanId, Links.Attributes"
)
INSERTED = (
    *("Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind"),
    *("ServiceName", "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes"),
    *("Duration", "StatusCode", "StatusMessage"),
    *("Events.Timestamp", "Events.Name", "Events.Attributes"),
    *("Links.TraceId", "Links.SpanId", "Links.TraceState", "Links.Attributes"),
)
# What a summary needs.
SLIM_COLUMNS = (
    "toUnixTimestamp64Nano(Timestamp), Duration, TraceId, SpanId, ParentSpanId, SpanName, "
    "SpanKind, ServiceName, StatusCode"
)
# All but events and links, of which a query asks nothing.
LEAN_COLUMNS = COLUMNS[: COLUMNS.index("arrayMap(")] + "[], [], [], [], [], []"
# What tells a span from all others of its trace; a copy of it has the same.
IDENTITY_COLUMNS = "SpanId, SpanKind, ServiceName, toUnixTimestamp64Nano(Timestamp)"
NEWEST_NS = 9_214_646_400_000_000_000  # 2262-01-01; DateTime64(9) ends soon after
_KINDS = {kind.value: kind for kind in SpanKind}
_STATUSES = {status.value: status for status in SpanStatus}
_CAPITALIZED = {member: member.value.capitalize() for member in (*SpanKind, *SpanStatus)}


def encode_rows(spans: Sequence[Span]) -> bytes:
    """Return ``spans`` in the format ``JSONCompactEachRow``, columns as in ``INSERTED``."""
    resources: dict[int, orjson.Fragment] = {}
    rows = []
    for span in spans:
        resource = resources.get(id(span.resource))
        if resource is None:
            resource = orjson.Fragment(orjson.dumps(_texts(span.resource)))
            resources[id(span.resource)] = resource
        rows.append(orjson.dumps(_row(span, resource)))
    return b"\n".join(rows)


def decode_row(row: Sequence[Any]) -> Span:
    """Return the span of a row of ``COLUMNS``."""
    start_ns, duration_ns, trace_id, span_id, parent, state, name, kind, service = row[:9]
    status, message, scope, version, resource, attributes = row[9:15]
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=_KINDS.get(kind.lower(), SpanKind.INTERNAL),
        start_ns=int(start_ns),
        end_ns=int(start_ns) + int(duration_ns),
        status=_STATUSES.get(status.lower(), SpanStatus.UNSET),
        status_message=message,
        service=service,
        resource=dict(resource),
        attributes=dict(attributes),
        scope_name=scope,
        scope_version=version,
        trace_state=state,
        events=tuple(
            SpanEvent(name=text, time_ns=int(at), attributes=dict(tags))
            for at, text, tags in zip(*row[15:18], strict=True)
        ),
        links=tuple(
            SpanLink(trace_id=trace, span_id=span, attributes=dict(tags))
            for trace, span, tags in zip(*row[18:21], strict=True)
        ),
    )


def decode_slim_row(row: Sequence[Any]) -> Span:
    """Return the span of a row of ``SLIM_COLUMNS``, without attributes."""
    start_ns, duration_ns, trace_id, span_id, parent, name, kind, service, status = row
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=_KINDS.get(kind.lower(), SpanKind.INTERNAL),
        start_ns=int(start_ns),
        end_ns=int(start_ns) + int(duration_ns),
        status=_STATUSES.get(status.lower(), SpanStatus.UNSET),
        status_message="",
        service=service,
        resource={},
        attributes={},
    )


def decode_identity(row: Sequence[Any]) -> Identity:
    """Return what a row of ``IDENTITY_COLUMNS`` stands for."""
    span_id, kind, service, start_ns = row
    return span_id, _KINDS.get(kind.lower(), SpanKind.INTERNAL), service, int(start_ns)


def stored_identity(span: Span) -> Identity:
    """Return the identity under which a span is found again: times are bounded there."""
    span_id, kind, service, start_ns = identity(span)
    return span_id, kind, service, max(0, min(start_ns, NEWEST_NS))


def _row(span: Span, resource: orjson.Fragment) -> list[Any]:
    events, links = span.events, span.links
    return [
        _decimal_seconds(span.start_ns),
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.trace_state,
        span.name,
        _CAPITALIZED[span.kind],
        span.service,
        resource,
        span.scope_name,
        span.scope_version,
        _texts(span.attributes),
        max(0, min(span.duration_ns, NEWEST_NS)),
        _CAPITALIZED[span.status],
        span.status_message,
        [_decimal_seconds(event.time_ns) for event in events] if events else events,
        [event.name for event in events] if events else events,
        [_texts(event.attributes) for event in events] if events else events,
        [link.trace_id for link in links] if links else links,
        [link.span_id for link in links] if links else links,
        ["" for _ in links] if links else links,
        [_texts(link.attributes) for link in links] if links else links,
    ]


def _decimal_seconds(time_ns: int) -> str:
    # An event's time is whatever its sender claims; one row that can't be read fails the batch.
    time_ns = max(0, min(time_ns, NEWEST_NS))
    return f"{time_ns // 1_000_000_000:010d}.{time_ns % 1_000_000_000:09d}"


def _texts(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    return {
        key: value if type(value) is str else text_of(value) for key, value in attributes.items()
    }
