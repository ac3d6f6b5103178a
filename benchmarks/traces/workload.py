"""Made-up traces: ten services, five spans each, errors and slow ones among them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

SERVICES = tuple(f"service-{n}" for n in range(10))
OPERATIONS = tuple(f"GET /things/{n}" for n in range(20))
SPANS_A_TRACE = 5
RARE_USER = "user-77777"


def bodies(traces: int, a_body: int, start_ns: int, length_ns: int) -> Iterator[bytes]:
    """Yield requests of ``a_body`` traces each as OTLP protobuf, in order of their time."""
    dice = random.Random(17)
    for first in range(0, traces, a_body):
        request = ExportTraceServiceRequest()
        scopes: list[ScopeSpans] = []
        for service in SERVICES:
            resource = request.resource_spans.add()
            attributes = resource.resource.attributes
            for key, value in (("service.name", service), ("cloud.region", f"r{len(scopes) % 3}")):
                attributes.add(key=key).value.string_value = value
            scopes.append(resource.scope_spans.add())
        for number in range(first, min(traces, first + a_body)):
            _add(scopes, number, start_ns + length_ns * number // traces, dice)
        yield request.SerializeToString()


def _add(scopes: list[ScopeSpans], number: int, start_ns: int, dice: random.Random) -> None:
    trace_id = struct.pack(">QQ", 0xBE7C, number + 1)
    failed = dice.random() < 0.01
    for level in range(SPANS_A_TRACE):
        span = dice.choice(scopes).spans.add()
        span.trace_id = trace_id
        span.span_id = struct.pack(">Q", number * SPANS_A_TRACE + level + 1)
        if level:
            span.parent_span_id = struct.pack(">Q", number * SPANS_A_TRACE + level)
        span.name = dice.choice(OPERATIONS)
        span.kind = Span.SPAN_KIND_SERVER
        took_ns = int(dice.expovariate(1 / 20e6)) + 1_000_000
        span.start_time_unix_nano = start_ns + level * 100_000
        span.end_time_unix_nano = start_ns + level * 100_000 + took_ns
        span.status.code = Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET
        pairs = {
            "http.route": span.name,
            "http.response.status_code": "503" if failed else "200",
            "user.id": f"user-{dice.randrange(100_000)}",
            "server.address": f"10.0.0.{dice.randrange(250)}",
        }
        for key, value in pairs.items():
            span.attributes.add(key=key).value.string_value = value


def rows_sql(table: str, traces: int, first: int, start_ms: int, length_ms: int, of: int) -> str:
    """Return a statement that makes the like of these spans within the engine itself.

    Args:
        table: Where they go.
        traces: How many traces.
        first: Number of the first.
        start_ms: When the first of all began.
        length_ms: Over how long they are spread.
        of: How many traces there are in all.
    """
    return f"""
INSERT INTO {table} (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName,
  ResourceAttributes, SpanAttributes, Duration, StatusCode)
SELECT
  fromUnixTimestamp64Nano(toInt64((
    {start_ms} + intDiv(number, {SPANS_A_TRACE}) * {length_ms} / {of})
    * 1000000 + number % {SPANS_A_TRACE} * 100000)) AS Timestamp,
  lower(leftPad(hex(intDiv(number, {SPANS_A_TRACE}) + 1), 32, '0')) AS TraceId,
  lower(leftPad(hex(number + 1), 16, '0')) AS SpanId,
  if(number % {SPANS_A_TRACE} = 0, '', lower(leftPad(hex(number), 16, '0'))) AS ParentSpanId,
  concat('GET /things/', toString(cityHash64(number, 1) % 20)) AS SpanName,
  'Server' AS SpanKind,
  concat('service-', toString(cityHash64(number, 2) % 10)) AS ServiceName,
  map('service.name', ServiceName, 'cloud.region', concat('r', toString(number % 3))),
  map('http.route', SpanName, 'http.response.status_code', if(failed, '503', '200'),
    'user.id', concat('user-', toString(cityHash64(number, 3) % 100000)),
    'server.address', concat('10.0.0.', toString(cityHash64(number, 4) % 250))),
  1000000 + toUInt64(-log((cityHash64(number, 5) % 1000000 + 1) / 1000001) * 20000000) AS Duration,
  if(cityHash64(intDiv(number, {SPANS_A_TRACE}), 6) % 100 = 0 AS failed, 'Error', 'Unset')
FROM numbers({first * SPANS_A_TRACE}, {traces * SPANS_A_TRACE})
"""
