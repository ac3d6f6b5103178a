"""Bodies made by the grammar of their protocol: mostly well-formed, odd where decoders must think.

Each takes choices from a :class:`Chooser`, which a seeded generator or a fuzzing engine can be.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.testing import fuzzing
from collectors.receivers.zipkin.messages import message_class as zipkin_class

_T = TypeVar("_T")
T0_NS = fuzzing.T0 * 1_000_000
_INTEGERS = (0, 1, -1, 2, 3, 20, 127, 128, 2**31 - 1, -(2**31), 2**63 - 1, fuzzing.T0, T0_NS)
_NUMBERS = (0.0, 1.5, -0.0, -2.5, 1e300, -1e300, 5e-324, float("nan"), float("inf"), -float("inf"))
_TEXTS = (
    "",
    "a",
    "name",
    "__name__",
    "le",
    "job",
    "unit",
    "s",
    "x_total",
    "é",
    "\U0001f600",
    "a b",
    "service.name",
    "a" * 300,
    "\x00",
    'q"\\',
    "trace_id",
    "abababababababababababababababab",
    "+Inf",
)
_DEPTH = 9


class Chooser(Protocol):
    """Where choices come from."""

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds, both included."""
        ...


class Seeded:
    """Choices of a generator with a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - must be the same again

    def number(self, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        return self._random.randint(least, most)


def pick(chooser: Chooser, options: Sequence[_T]) -> _T:
    """Return one of some options."""
    return options[chooser.number(0, len(options) - 1)]


def _mostly(chooser: Chooser, usual: Sequence[_T], odd: Sequence[_T]) -> _T:
    return pick(chooser, usual if chooser.number(0, 39) else odd)


def fill(message: Any, chooser: Chooser, depth: int = 0) -> None:
    """Fill a protobuf message of any type: most fields, each with a value of its type."""
    for field in message.DESCRIPTOR.fields:
        if depth > _DEPTH or chooser.number(0, 4) == 0:
            continue
        if field.containing_oneof is not None and chooser.number(0, 2):
            continue
        count = chooser.number(0, 2) if field.is_repeated else 1
        for _ in range(count):
            if field.message_type is not None:
                part = getattr(message, field.name)
                inner = part.add() if field.is_repeated else part
                if not field.is_repeated:
                    inner.SetInParent()
                fill(inner, chooser, depth + 1)
            elif field.is_repeated:
                getattr(message, field.name).append(_scalar(field, chooser))
            else:
                setattr(message, field.name, _scalar(field, chooser))


def _scalar(field: Any, chooser: Chooser) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return pick(chooser, _NUMBERS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return bool(chooser.number(0, 1))
        case FieldDescriptor.CPPTYPE_ENUM:
            return pick(chooser, [value.number for value in field.enum_type.values])
        case FieldDescriptor.CPPTYPE_STRING:
            if field.type == FieldDescriptor.TYPE_BYTES:
                return _bytes(field.name, chooser)
            return pick(chooser, _TEXTS)
    low, high = _RANGES[field.cpp_type]
    if "time" in field.name and chooser.number(0, 3):
        moment = T0_NS if "nano" in field.name else fuzzing.T0
        return moment + chooser.number(-5, 5) * 1_000
    return min(max(pick(chooser, _INTEGERS), low), high)


_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "id": 8, "parent_id": 8}


def _bytes(name: str, chooser: Chooser) -> bytes:
    length = _ID_BYTES.get(name)
    if length and chooser.number(0, 7):
        return bytes([chooser.number(1, 3)]) * length
    return pick(chooser, _TEXTS).encode()[: chooser.number(0, 40)]


def _protobuf(make: Callable[[], Message]) -> Callable[[Chooser], bytes]:
    def body(chooser: Chooser) -> bytes:
        message = make()
        fill(message, chooser)
        return message.SerializeToString()

    return body


def _otlp_json(make: Callable[[], Message]) -> Callable[[Chooser], bytes]:
    def body(chooser: Chooser) -> bytes:
        message = make()
        fill(message, chooser)
        return fuzzing.otlp_json(message)

    return body


def _remote_v2(chooser: Chooser) -> bytes:
    request: Any = message_class("RequestV2")()
    fill(request, chooser)
    symbols = [b"", b"__name__", *(text.encode() for text in _TEXTS)]
    request.symbols[:] = symbols if chooser.number(0, 9) else symbols[1:]
    for series in request.timeseries:
        series.labels_refs[:] = [1, chooser.number(2, 8), 7, chooser.number(0, len(symbols) + 1)]
    return bytes(request.SerializeToString())


def _value(chooser: Chooser) -> object:
    return pick(chooser, (0, 1.5, -2, "NaN", "1e3", None, True, [], [1.5], {}, 10**20, "x"))


def _tags(chooser: Chooser) -> dict[str, object]:
    tags: dict[str, object] = {"name": "cpu"} if chooser.number(0, 9) else {}
    for _ in range(chooser.number(0, 3)):
        tags[pick(chooser, _TEXTS)] = pick(chooser, (*_TEXTS, None, 1)) or "v"
    return tags


def _publish(chooser: Chooser) -> bytes:
    points = [
        {
            "tags": _tags(chooser),
            pick(chooser, ("timestamp", "start")): pick(
                chooser, (fuzzing.T0, -1, 0, 1.5, "1", None)
            ),
            pick(chooser, ("value", "values")): _value(chooser),
        }
        for _ in range(chooser.number(0, 4))
    ]
    document: object = points
    if chooser.number(0, 1):
        document = {"tags": _tags(chooser), "metrics": points}
    elif chooser.number(0, 2) == 0:
        rows = ([0, 1, 0, chooser.number(0, 3), fuzzing.T0, _value(chooser)] for _ in range(2))
        document = [4, "name", "cpu", "id", "b", 2, *(cell for row in rows for cell in row)]
    return json.dumps(document).encode()


def _zipkin_json(chooser: Chooser) -> bytes:
    spans = []
    for _ in range(chooser.number(0, 3)):
        span: dict[str, object] = {
            "traceId": "ab" * chooser.number(1, 17),
            "id": f"{chooser.number(0, 5):016x}",
            "timestamp": pick(chooser, (fuzzing.T0 * 1_000, 1, 0, -1, None, 1.5, "1", 2**63)),
            "duration": pick(chooser, (1, 0, None, 10**18, 2.0)),
            "kind": pick(chooser, ("CLIENT", "SERVER", "ODD", None, 3)),
            "tags": _tags(chooser),
            "annotations": [{"timestamp": fuzzing.T0 * 1_000, "value": pick(chooser, _TEXTS)}],
        }
        for end in ("localEndpoint", "remoteEndpoint"):
            span[end] = {
                "serviceName": pick(chooser, _TEXTS),
                "port": pick(chooser, (80, -1, None)),
            }
        spans.append({k: v for k, v in span.items() if chooser.number(0, 15)})
    return orjson.dumps(spans)


_NAMES = ("hits_total", "latency_seconds_bucket", "x", "a:b", '{"é b"}', "_created")


def _exposition(chooser: Chooser) -> bytes:
    lines = []
    for _ in range(chooser.number(1, 8)):
        name = _mostly(chooser, _NAMES, ("0bad", ""))
        kind = pick(chooser, ("counter", "gauge", "histogram", "summary", "unknown"))
        labels = ",".join(
            f'{key}="{_escaped(pick(chooser, _TEXTS))}"'
            for key in ("a", "le", "quantile")[: chooser.number(0, 3)]
        )
        value = _mostly(chooser, ("1", "-0", "NaN", "+Inf", "1e3", "9" * 40), ("0x1p3", "1_0", ""))
        time = _mostly(chooser, ("", "", f" {fuzzing.T0}"), (" 1.5", " x"))
        shown = f"{{{labels}}}" if labels and not name.startswith("{") else ""
        sample = f"{name}{shown} {value}{time}"
        lines.append(_mostly(chooser, (sample, sample, "# x", ""), (f"# TYPE {name} {kind}", "#")))
    return "\n".join([*lines, ""]).encode()


def _zipkin_protobuf(chooser: Chooser) -> bytes:
    message: Any = zipkin_class("Listed")()
    fill(message, chooser)
    for span in message.spans:
        if chooser.number(0, 9):
            span.trace_id, span.id, span.timestamp = b"t" * 16, b"s" * 8, fuzzing.T0 * 1_000
            span.duration = chooser.number(0, 10**6)
            for end in (span.local_endpoint, span.remote_endpoint):
                end.ipv4, end.ipv6 = pick(chooser, (b"", b"\x7f\x00\x00\x01")), b""
            del span.annotations[1:]
    return bytes(message.SerializeToString())


def _openmetrics(chooser: Chooser) -> bytes:
    lines = []
    for number in range(chooser.number(1, 5)):
        kind = pick(chooser, ("counter", "gauge", "unknown"))
        counts = kind == "counter"
        lines.append(f"# TYPE m{number} {kind}")
        for text in sorted({pick(chooser, _TEXTS) for _ in range(chooser.number(1, 3))}):
            name = f"m{number}_total" if counts else f"m{number}"
            value = _mostly(chooser, ("1", "0", "2.5", "1e3"), ("-1", "NaN", "", "0x1"))
            time = _mostly(chooser, ("", f" {fuzzing.T0 / 1_000}"), (" x", " -1"))
            tail = ' # {trace_id="ab"} 0.5' if counts and not chooser.number(0, 3) else ""
            lines.append(f'{name}{{a="{_escaped(text)}"}} {value}{time}{tail}')
    end = _mostly(chooser, ("# EOF",), ("", "# EOF\nx 1"))
    return "\n".join([*lines, end, ""]).encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _spectator(chooser: Chooser) -> bytes:
    lines = []
    for _ in range(chooser.number(1, 5)):
        kind = pick(
            chooser, ("c", "g", "t", "d", "C", "U", "X", "m", "A", "T", "D", "g,60", "X,1", "q")
        )
        tags = "".join(
            f",{pick(chooser, _TEXTS)}={pick(chooser, _TEXTS)}" for _ in range(chooser.number(0, 2))
        )
        value = pick(chooser, ("1", "0.25", "-3", "NaN", "1e400", "", "18446744073709551616", "x"))
        lines.append(f"{kind}:{pick(chooser, ('orders', 'a.b', '', 'é'))}{tags}:{value}")
    return "\n".join(lines).encode()


GRAMMARS: Mapping[str, Callable[[Chooser], bytes]] = {
    "otlp-metrics-protobuf": _protobuf(ExportMetricsServiceRequest),
    "otlp-metrics-json": _otlp_json(ExportMetricsServiceRequest),
    "otlp-traces-protobuf": _protobuf(ExportTraceServiceRequest),
    "otlp-traces-json": _otlp_json(ExportTraceServiceRequest),
    "remote-write-1": _protobuf(lambda: cast("Message", message_class("WriteRequest")())),
    "remote-write-2": _remote_v2,
    "remote-write-columns": _protobuf(lambda: cast("Message", message_class("WriteRequest")())),
    "publish": _publish,
    "zipkin-json": _zipkin_json,
    "zipkin-protobuf": _zipkin_protobuf,
    "scrape-text": _exposition,
    "scrape-openmetrics": _openmetrics,
    "spectator": _spectator,
}
"""What makes a body for each target of :mod:`tests.fuzz`."""
