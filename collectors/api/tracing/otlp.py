"""Spans as OTLP messages, for clients that read traces the way they were sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

from collectors.api.tracing.resources import Resources
from collectors.model import AttributeValue, Span, SpanKind, SpanStatus

_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}
_STATUSES = {SpanStatus.UNSET: 0, SpanStatus.OK: 1, SpanStatus.ERROR: 2}
_INT64 = 1 << 63


def traces_data(spans: Sequence[Span]) -> TracesData:
    """Return spans as the messages of their resources and scopes, in the order of the spans."""
    data = TracesData()
    numbers = Resources()
    resources: dict[int, ResourceSpans] = {}
    scopes: dict[tuple[int, str, str], Any] = {}
    for span in spans:
        key = numbers.number(span)
        scope_key = (key, span.scope_name, span.scope_version)
        scope = scopes.get(scope_key)
        if scope is None:
            resource = resources.get(key)
            if resource is None:
                resource = resources[key] = data.resource_spans.add()
                named = {"service.name": span.service, **span.resource}
                resource.resource.attributes.extend(key_values(named))
            scope = scopes[scope_key] = resource.scope_spans.add()
            scope.scope.name = span.scope_name
            scope.scope.version = span.scope_version
        _fill(scope.spans.add(), span)
    return data


def key_values(attributes: Mapping[str, AttributeValue]) -> Iterable[KeyValue]:
    """Yield attributes as messages."""
    for key, value in attributes.items():
        yield KeyValue(key=key, value=_any_value(value))


def _fill(message: Message, span: Span) -> None:
    message.trace_id = bytes.fromhex(span.trace_id)
    message.span_id = bytes.fromhex(span.span_id)
    message.parent_span_id = bytes.fromhex(span.parent_span_id)
    message.trace_state = span.trace_state
    message.name = span.name
    message.kind = _KINDS[span.kind]  # type: ignore[assignment] # the numbers of the enumeration
    message.start_time_unix_nano = max(0, span.start_ns)
    message.end_time_unix_nano = max(0, span.end_ns)
    message.attributes.extend(key_values(span.attributes))
    message.status.code = _STATUSES[span.status]  # type: ignore[assignment] # as above
    message.status.message = span.status_message
    for event in span.events:
        told = message.events.add(name=event.name, time_unix_nano=max(0, event.time_ns))
        told.attributes.extend(key_values(event.attributes))
    for link in span.links:
        linked = message.links.add(
            trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id)
        )
        linked.attributes.extend(key_values(link.attributes))


def _any_value(value: object) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int() if -_INT64 <= value < _INT64:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            listed = AnyValue()
            listed.array_value.values.extend(map(_any_value, value))
            return listed
        case dict():
            paired = AnyValue()
            paired.kvlist_value.values.extend(
                KeyValue(key=str(key), value=_any_value(one)) for key, one in value.items()
            )
            return paired
    return AnyValue(string_value=str(value))
