"""Spans in the OpenTelemetry Collector's ``otel_traces`` layout: write, search, read a trace.

Attribute values become text, as the Collector's exporter writes them.
"""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from collectors.model import AttributeValue, Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from collectors.store.history import schema
from collectors.store.history.engine import HistoryEngine, quoted
from collectors.traces.search import TraceSearch, TraceSummary, summarize, text_of

_NANOS_PER_MS = 1_000_000
_COLUMNS = (
    "toUnixTimestamp64Nano(Timestamp), Duration, TraceId, SpanId, ParentSpanId, TraceState, "
    "SpanName, SpanKind, ServiceName, StatusCode, StatusMessage, ScopeName, ScopeVersion, "
    "ResourceAttributes, SpanAttributes, "
    "arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp), Events.Name, Events.Attributes, "
    "Links.TraceId, Links.SpanId, Links.Attributes"
)


class SpanHistory:
    """Spans in the ClickHouse dialect.

    Args:
        engine: The connection.
    """

    def __init__(self, engine: HistoryEngine) -> None:
        self._engine = engine
        self._table = f"{engine.database}.otel_traces"
        engine.command(schema.SPANS.format(database=engine.database))

    def insert_spans(self, spans: Sequence[Span]) -> None:
        """Append spans; a span written twice is answered once."""
        if spans:
            rows = b"\n".join(orjson.dumps(_row(span)) for span in spans)
            self._engine.insert("otel_traces", rows, fmt="JSONEachRow")

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        """Return summaries of traces that have a matching span, newest first."""
        having = "" if wanted.about_span else _duration("max(Duration)", wanted)
        found = self._engine.columns(
            f"SELECT TraceId FROM {self._table} WHERE {_span_condition(wanted)} "
            f"GROUP BY TraceId HAVING 1{having} ORDER BY min(Timestamp) DESC LIMIT {wanted.limit}"
        )
        traces = (self.trace(trace_id) for trace_id in (found[0] if found else ()))
        return [summarize(spans) for spans in traces]

    def trace(self, trace_id: str) -> tuple[Span, ...]:
        """Return the spans of a trace in order of their start; none when it is unknown."""
        columns = self._engine.columns(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE TraceId = {quoted(trace_id)} "
            "ORDER BY Timestamp, SpanId LIMIT 1 BY SpanId"
        )
        return tuple(_span(row) for row in zip(*columns, strict=True)) if columns else ()


def _span_condition(wanted: TraceSearch) -> str:
    parts = ["1"]
    if wanted.service:
        parts.append(f"ServiceName = {quoted(wanted.service)}")
    if wanted.operation:
        parts.append(f"SpanName = {quoted(wanted.operation)}")
    if wanted.error is not None:
        parts.append(f"StatusCode {'=' if wanted.error else '!='} 'Error'")
    if wanted.start_ms is not None:
        parts.append(f"Timestamp >= fromUnixTimestamp64Milli({wanted.start_ms})")
    if wanted.end_ms is not None:
        parts.append(f"Timestamp <= fromUnixTimestamp64Milli({wanted.end_ms})")
    for key, value in wanted.tags.items():
        k, v = quoted(key), quoted(value)
        parts.append(f"(SpanAttributes[{k}] = {v} OR ResourceAttributes[{k}] = {v})")
    span_duration = _duration("Duration", wanted) if wanted.about_span else ""
    return " AND ".join(parts) + span_duration


def _duration(column: str, wanted: TraceSearch) -> str:
    text = ""
    if wanted.min_duration_ms is not None:
        text += f" AND {column} >= {int(wanted.min_duration_ms * _NANOS_PER_MS)}"
    if wanted.max_duration_ms is not None:
        text += f" AND {column} <= {int(wanted.max_duration_ms * _NANOS_PER_MS)}"
    return text


def _row(span: Span) -> dict[str, Any]:
    return {
        "Timestamp": _decimal_seconds(span.start_ns),
        "TraceId": span.trace_id,
        "SpanId": span.span_id,
        "ParentSpanId": span.parent_span_id,
        "TraceState": span.trace_state,
        "SpanName": span.name,
        "SpanKind": span.kind.value.capitalize(),
        "ServiceName": span.service,
        "ResourceAttributes": _texts(span.resource),
        "ScopeName": span.scope_name,
        "ScopeVersion": span.scope_version,
        "SpanAttributes": _texts(span.attributes),
        "Duration": max(0, span.duration_ns),
        "StatusCode": span.status.value.capitalize(),
        "StatusMessage": span.status_message,
        "Events.Timestamp": [_decimal_seconds(event.time_ns) for event in span.events],
        "Events.Name": [event.name for event in span.events],
        "Events.Attributes": [_texts(event.attributes) for event in span.events],
        "Links.TraceId": [link.trace_id for link in span.links],
        "Links.SpanId": [link.span_id for link in span.links],
        "Links.TraceState": ["" for _ in span.links],
        "Links.Attributes": [_texts(link.attributes) for link in span.links],
    }


def _decimal_seconds(time_ns: int) -> str:
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09d}"


def _texts(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    return {
        key: orjson.dumps(value).decode() if isinstance(value, list | dict) else text_of(value)
        for key, value in attributes.items()
    }


def _span(row: Sequence[Any]) -> Span:
    start_ns, duration_ns, trace_id, span_id, parent, state, name, kind, service = row[:9]
    status, message, scope, version, resource, attributes = row[9:15]
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=SpanKind(kind.lower()),
        start_ns=int(start_ns),
        end_ns=int(start_ns) + int(duration_ns),
        status=SpanStatus(status.lower()),
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
