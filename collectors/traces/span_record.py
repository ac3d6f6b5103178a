"""Spans as journal records: JSON in columns of rows, resources written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from collectors.errors import StorageError
from collectors.model import Span, SpanEvent, SpanKind, SpanLink, SpanStatus

# Integers beyond 64 bits can't come from OTLP, but a record must never fail to encode.
_OPTIONS = orjson.OPT_NON_STR_KEYS


def encode_spans(spans: Sequence[Span]) -> bytes:
    """Return one record holding ``spans``."""
    resources: list[Any] = []
    position: dict[int, int] = {}
    rows = []
    for span in spans:
        key = id(span.resource)
        if key not in position:
            position[key] = len(resources)
            resources.append(dict(span.resource))
        rows.append(_row(span, position[key]))
    try:
        return orjson.dumps({"resources": resources, "spans": rows}, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        raise StorageError(f"{len(rows)} spans can't be written to the log: {error}") from error


def decode_spans(record: bytes) -> list[Span]:
    """Return the spans of a record; raise :class:`StorageError` if it is damaged."""
    try:
        document = orjson.loads(record)
        resources = document["resources"]
        return [_span(row, resources) for row in document["spans"]]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise StorageError(f"a span record of {len(record)} bytes is damaged: {error}") from error


def _row(span: Span, resource: int) -> list[Any]:
    return [
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind.value,
        span.start_ns,
        span.end_ns,
        span.status.value,
        span.status_message,
        span.service,
        resource,
        dict(span.attributes),
        span.scope_name,
        span.scope_version,
        span.trace_state,
        [[e.name, e.time_ns, dict(e.attributes)] for e in span.events],
        [[k.trace_id, k.span_id, dict(k.attributes)] for k in span.links],
    ]


def _span(row: list[Any], resources: list[Any]) -> Span:
    return Span(
        trace_id=row[0],
        span_id=row[1],
        parent_span_id=row[2],
        name=row[3],
        kind=SpanKind(row[4]),
        start_ns=row[5],
        end_ns=row[6],
        status=SpanStatus(row[7]),
        status_message=row[8],
        service=row[9],
        resource=resources[row[10]],
        attributes=row[11],
        scope_name=row[12],
        scope_version=row[13],
        trace_state=row[14],
        events=tuple(SpanEvent(name=e[0], time_ns=e[1], attributes=e[2]) for e in row[15]),
        links=tuple(SpanLink(trace_id=k[0], span_id=k[1], attributes=k[2]) for k in row[16]),
    )
