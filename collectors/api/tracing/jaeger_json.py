"""A trace as Jaeger's query API writes it: times in microseconds, attributes with their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from collectors.api.tracing.resources import Resources
from collectors.model import AttributeValue, Span, SpanKind, SpanStatus
from collectors.traces.tree.clock_skew import ADJUSTED, NOT_ADJUSTED
from collectors.traces.tree.lineage import lineage_of

_NS_PER_US = 1_000
Json = dict[str, object]


def jaeger_trace(trace_id: str, spans: Sequence[Span], dropped: int = 0) -> Json:
    """Return a trace: its spans, and the processes that they come from."""
    processes: dict[str, Json] = {}
    resources = Resources()
    lineage = lineage_of(spans)
    written = []
    for at, span in enumerate(spans):
        process = f"p{resources.number(span) + 1}"
        if process not in processes:
            processes[process] = _process(span)
        above = lineage.parent[at]
        written.append(_span(span, process, spans[above] if above >= 0 else None))
    warnings = [f"{dropped} more spans are left out"] if dropped else None
    return {"traceID": trace_id, "spans": written, "processes": processes, "warnings": warnings}


def _process(span: Span) -> Json:
    resource = {key: value for key, value in span.resource.items() if key != "service.name"}
    return {"serviceName": span.service, "tags": _tags(resource)}


def _span(span: Span, process: str, parent: Span | None) -> Json:
    parent_id = parent.span_id if parent is not None else span.parent_span_id
    above = [(span.trace_id, parent_id, "CHILD_OF")] if parent_id else []
    linked = [(link.trace_id, link.span_id, "FOLLOWS_FROM") for link in span.links]
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": [
            {"refType": kind, "traceID": trace, "spanID": one}
            for trace, one, kind in (*above, *linked)
        ],
        "startTime": span.start_ns // _NS_PER_US,
        "duration": span.duration_ns // _NS_PER_US,
        "tags": [*_tags(_own(span)), *_tags(_told(span))],
        "logs": [
            {
                "timestamp": event.time_ns // _NS_PER_US,
                "fields": _tags({"event": event.name, **event.attributes}),
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": _warnings(span),
    }


def _own(span: Span) -> Mapping[str, AttributeValue]:
    return {
        key: value for key, value in span.attributes.items() if key not in (ADJUSTED, NOT_ADJUSTED)
    }


def _told(span: Span) -> Mapping[str, AttributeValue]:
    """Return what Jaeger has no field for, under the names that it gives to it."""
    told: dict[str, AttributeValue] = {}
    if span.kind is not SpanKind.INTERNAL:
        told["span.kind"] = span.kind.value
    if span.status is not SpanStatus.UNSET:
        told["otel.status_code"] = span.status.value.upper()
    if span.status is SpanStatus.ERROR:
        told["error"] = True
    if span.status_message:
        told["otel.status_description"] = span.status_message
    if span.scope_name:
        told["otel.scope.name"] = span.scope_name
    if span.scope_version:
        told["otel.scope.version"] = span.scope_version
    if span.trace_state:
        told["w3c.tracestate"] = span.trace_state
    return {key: value for key, value in told.items() if key not in span.attributes}


def _warnings(span: Span) -> list[str] | None:
    moved, left = span.attributes.get(ADJUSTED), span.attributes.get(NOT_ADJUSTED)
    if moved is not None:
        return [f"moved by {moved} ns: the clocks of two hosts disagree"]
    if left is not None:
        return [
            f"not moved by {left} ns, although it seems to need it: that is too much to believe"
        ]
    return None


def _tags(attributes: Mapping[str, AttributeValue]) -> list[Json]:
    return [_tag(key, value) for key, value in attributes.items()]


def _tag(key: str, value: AttributeValue) -> Json:
    match value:
        case bool():
            return {"key": key, "type": "bool", "value": value}
        case int():
            # Readers in browsers lose digits beyond 2**53: such integers travel as text.
            told = value if abs(value) <= 2**53 else str(value)
            return {"key": key, "type": "int64", "value": told}
        case float():
            return {"key": key, "type": "float64", "value": value}
        case str():
            return {"key": key, "type": "string", "value": value}
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    return {"key": key, "type": "string", "value": text}
