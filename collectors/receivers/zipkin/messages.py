"""Zipkin's protobuf encoding → spans in the shape of its JSON encoding.

Field numbers follow ``zipkin.proto`` of openzipkin/zipkin-api. Spans are declared as ``bytes`` in
their list and texts as ``bytes`` in their spans, so that one that is damaged costs itself alone.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError

from collectors.errors import DecodeError
from collectors.model import Rejection
from collectors.receivers.wire_schema import message_classes

_SCHEMA = {
    "ListOfSpans": {"spans": (1, "bytes*")},
    "Listed": {"spans": (1, "Span*")},
    "Span": {
        "trace_id": (1, "bytes"),
        "parent_id": (2, "bytes"),
        "id": (3, "bytes"),
        "kind": (4, "int32"),
        "name": (5, "bytes"),
        "timestamp": (6, "fixed64"),
        "duration": (7, "uint64"),
        "local_endpoint": (8, "Endpoint"),
        "remote_endpoint": (9, "Endpoint"),
        "annotations": (10, "Annotation*"),
        "tags": (11, "Tag*"),
        "debug": (12, "bool"),
        "shared": (13, "bool"),
    },
    "Endpoint": {
        "service_name": (1, "bytes"),
        "ipv4": (2, "bytes"),
        "ipv6": (3, "bytes"),
        "port": (4, "int32"),
    },
    "Annotation": {"timestamp": (1, "fixed64"), "value": (2, "bytes")},
    "Tag": {"key": (1, "bytes"), "value": (2, "bytes")},
}
_KINDS = ("", "CLIENT", "SERVER", "PRODUCER", "CONSUMER")


def spans_of(body: bytes) -> Iterator[Mapping[str, object] | Rejection]:
    """Yield the spans of a ``ListOfSpans`` as JSON would have them.

    Raises:
        DecodeError: The body is no such message.
    """
    try:
        found = message_class("ListOfSpans").FromString(body)
    except ProtobufDecodeError as error:
        raise DecodeError(f"the body of {len(body)} bytes is not a ListOfSpans: {error}") from error
    for raw in found.spans:
        try:
            yield _span(message_class("Span").FromString(raw))
        except (ProtobufDecodeError, ValueError) as error:
            detail = f"a span of {len(raw)} bytes is damaged: {error}"
            yield Rejection(reason="invalidSpan", detail=detail)


def message_class(name: str) -> Any:
    """Return the protobuf class of a message, such as ``ListOfSpans``."""
    return _classes()[name]


@functools.cache
def _classes() -> dict[str, Any]:
    return message_classes("tocsin.zipkin", _SCHEMA)


def _span(message: Any) -> Mapping[str, object]:
    return {
        "traceId": message.trace_id.hex(),
        "parentId": message.parent_id.hex(),
        "id": message.id.hex(),
        "kind": _KINDS[message.kind] if 0 <= message.kind < len(_KINDS) else "",
        "name": _text(message.name),
        "timestamp": message.timestamp,
        "duration": message.duration,
        "localEndpoint": _endpoint(message.local_endpoint),
        "remoteEndpoint": _endpoint(message.remote_endpoint),
        "annotations": [
            {"timestamp": each.timestamp, "value": _text(each.value)}
            for each in message.annotations
        ],
        "tags": {_text(tag.key): _text(tag.value) for tag in message.tags},
        "debug": message.debug,
        "shared": message.shared,
    }


def _endpoint(message: Any) -> Mapping[str, object]:
    return {
        "serviceName": _text(message.service_name),
        "ipv4": str(ipaddress.IPv4Address(message.ipv4)) if message.ipv4 else "",
        "ipv6": str(ipaddress.IPv6Address(message.ipv6)) if message.ipv6 else "",
        "port": message.port,
    }


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
