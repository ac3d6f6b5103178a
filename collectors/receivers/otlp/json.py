"""OTLP's JSON encoding → protobuf bytes.

It differs from protobuf's own JSON: ids are hexadecimal, enums are integers (their names are taken
too), names are lowerCamelCase only, and unknown fields are ignored (opentelemetry-proto,
specification.md, "JSON Protobuf Encoding").
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.receivers.json_body import read_json, whole_text
from collectors.receivers.otlp.json_mending import NOT_OTLP, fill
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.work.budget import Budget

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_MAX_DEPTH = 80
# No legal id is one byte long: what has it is refused by itself, and its neighbours are kept.
_NO_ID = b"?"


def to_protobuf(
    body: bytes, message: Message, flaws: Flaws | None = None, budget: Budget | None = None
) -> bytes:
    """Return ``body`` re-encoded as protobuf, without the records that are wrong.

    Args:
        body: An OTLP/JSON export request.
        message: An empty message of the request's type.
        flaws: Where what is wrong with it is noted.
        budget: What it may still cost; one of its own by default.

    Raises:
        DecodeError: The body is not OTLP/JSON.
        TooLargeError: Its budget is used up.
    """
    flaws = Flaws() if flaws is None else flaws
    document, lenient = read_json(body)
    if not isinstance(document, dict):
        raise DecodeError(f"an export request is a JSON object, not {type(document).__name__}")
    walk = _Walk(lenient, Budget(Limits()) if budget is None else budget)
    standard = walk.standard(document, 0)
    walk.tell(flaws)
    try:
        if not walk.doubtful:
            json_format.ParseDict(standard, message, ignore_unknown_fields=True)
            return message.SerializeToString()
    except NOT_OTLP:
        message.Clear()
    try:
        fill(message, standard, flaws)
        return message.SerializeToString()
    except NOT_OTLP as error:
        raise DecodeError(f"the JSON body does not follow OTLP: {str(error)[:300]}") from error


class _Watched(list[Any]):
    """A list whose readers spend of a budget: protobuf's JSON parser offers no other way in."""

    def __init__(self, items: Iterable[Any], budget: Budget) -> None:
        super().__init__(items)
        self._budget = budget

    def __iter__(self) -> Iterator[Any]:
        return self._budget.watch(super().__iter__())


class _Walk:
    """One walk through a document, towards protobuf's own JSON mapping.

    Args:
        lenient: Whether texts may hold half a surrogate pair; U+FFFD takes its place.
        budget: What the body may still cost.

    Attributes:
        doubtful: Whether protobuf's parser would pass over something that is wrong.
    """

    def __init__(self, lenient: bool, budget: Budget) -> None:
        self._budget = budget
        self.doubtful = False
        self._lenient = lenient
        self._snake = ""
        self._odd_id = ""

    def standard(self, value: Any, depth: int) -> Any:
        """Return ``value`` in protobuf's own JSON mapping."""
        if depth > _MAX_DEPTH:
            raise DecodeError(f"the JSON body is nested deeper than {_MAX_DEPTH} levels")
        if isinstance(value, list):
            items = (self.standard(item, depth + 1) for item in self._budget.watch(value))
            return _Watched(items, self._budget)
        if isinstance(value, dict):
            return {
                key: self._field(key, item, depth)
                for key, item in value.items()
                if "_" not in key or self._is_ours(key)
            }
        if self._lenient and isinstance(value, str):
            return whole_text(value)
        return value

    def tell(self, flaws: Flaws) -> None:
        """Note what the sender should know of the body as a whole."""
        if self._snake:
            first, *rest = self._snake.split("_")
            camel = first + "".join(map(str.capitalize, rest))
            detail = f"{self._snake!r} means nothing in OTLP/JSON and is left out: write {camel!r}"
            flaws.warn("snakeCase", detail)
        if self._odd_id:
            flaws.warn("idNotHexadecimal", f"{self._odd_id}; ids are hexadecimal, not base64")

    def _field(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            if key in _IDS:
                return base64.b64encode(self._id_bytes(key, value)).decode("ascii")
            if key in _enum_names():
                return self._enum(key, value)
        if key in _message_names() and not isinstance(value, dict):
            # The parser takes a text for an object without fields. Some names mean a number too.
            self.doubtful |= isinstance(value, str) or (
                isinstance(value, list) and any(isinstance(item, str) for item in value)
            )
        return self.standard(value, depth + 1)

    def _is_ours(self, key: str) -> bool:
        """Note a key in snake case that would mean something in camel case; return False."""
        if not self._snake and key in _snake_names():
            self._snake = key
        return False

    def _id_bytes(self, key: str, text: str) -> bytes:
        try:
            return bytes.fromhex(text)
        except ValueError:
            self._odd_id = self._odd_id or f"{key} {text[:64]!r}"
            return _NO_ID

    def _enum(self, key: str, text: str) -> Any:
        number = _enum_names()[key].get(text)
        if number is None:
            self.doubtful = True
            return text
        return number


@functools.cache
def _enum_names() -> Mapping[str, Mapping[str, int]]:
    """Return the numbers of the values of each enum field, by the field's name."""
    from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
    from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    enums = {
        "kind": Span.SpanKind,
        "code": Status.StatusCode,
        "aggregationTemporality": AggregationTemporality,
        "severityNumber": SeverityNumber,
    }
    return {
        key: dict(enum.items()) | {str(number): number for number in enum.values()}
        for key, enum in enums.items()
    }


@functools.cache
def _snake_names() -> frozenset[str]:
    """Return the names of fields that would be missed if they were given in snake case."""
    names = {found.name for found in _all_fields() if "_" in found.name}
    return frozenset(name for name in names if not name.startswith("dropped_"))


@functools.cache
def _message_names() -> frozenset[str]:
    """Return the names, in JSON, of the fields that hold objects."""
    return frozenset(found.json_name for found in _all_fields() if found.message_type is not None)


def _all_fields() -> Iterator[Any]:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.metrics.v1 import metrics_pb2
    from opentelemetry.proto.resource.v1 import resource_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

    services = (logs_service_pb2, metrics_service_pb2, trace_service_pb2)
    pending = [
        message
        for file in (*services, common_pb2, resource_pb2, logs_pb2, metrics_pb2, trace_pb2)
        for message in file.DESCRIPTOR.message_types_by_name.values()
    ]
    while pending:
        message = pending.pop()
        pending.extend(message.nested_types)
        yield from message.fields
