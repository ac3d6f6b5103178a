"""A Zipkin v2 span → :class:`~collectors.model.Span`.

The mapping is that of the OpenTelemetry Collector's translator: the local endpoint is the service
and its host, the remote one ``peer.service`` and the network peer, annotations are events, and the
tag ``error`` or ``otel.status_code`` is the status. Tags stay attributes as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import ADJUSTED, AttributeValue, Span, SpanEvent, SpanKind, SpanStatus
from collectors.receivers.json_body import whole_text

_MAX_EVENTS = 128
_NANOS_PER_MICRO = 1_000
_NEWEST_US = (2**63 - 1) // _NANOS_PER_MICRO
_HEX = frozenset("0123456789abcdefABCDEF")
_KINDS = {
    "CLIENT": SpanKind.CLIENT,
    "SERVER": SpanKind.SERVER,
    "PRODUCER": SpanKind.PRODUCER,
    "CONSUMER": SpanKind.CONSUMER,
}
Plain = Mapping[str, object]
Resource = Mapping[str, AttributeValue]


def read_span(plain: object, limits: Limits, resources: dict[str, Resource]) -> Span:
    """Return the span of a JSON object.

    Args:
        plain: The object.
        limits: Bounds on texts and their number.
        resources: Those of the request so far: spans of one service share theirs.

    Raises:
        DecodeError: It is no span, or has no usable id or time.
    """
    if not _is_object(plain):
        raise DecodeError(f"a span is an object, not {type(plain).__name__}")
    tags = _tags(plain, limits)
    start_us = _time_us(plain, "timestamp") or _first_annotation_us(plain)
    if not start_us:
        raise DecodeError(f"span {plain.get('id')!r} has no timestamp: it can't be placed in time")
    duration_us = _time_us(plain, "duration")
    adjusted = {} if duration_us else {ADJUSTED: "has no duration; kept with duration 0"}
    local = _part(plain, "localEndpoint")
    status, message = _status(tags)
    return Span(
        trace_id=_id(plain, "traceId", 32),
        span_id=_id(plain, "id", 16),
        parent_span_id=_parent(plain),
        name=_text(plain, "name", limits) or "unknown",
        kind=_KINDS.get(_text(plain, "kind", limits), SpanKind.INTERNAL),
        start_ns=start_us * _NANOS_PER_MICRO,
        end_ns=min(start_us + duration_us, _NEWEST_US) * _NANOS_PER_MICRO,
        status=status,
        status_message=message,
        service=_text(local, "serviceName", limits) or "unknown_service",
        resource=_resource(local, limits, resources),
        attributes={**tags, **_peer(_part(plain, "remoteEndpoint"), limits), **adjusted},
        scope_name=tags.get("otel.scope.name") or tags.get("otel.library.name", ""),
        scope_version=tags.get("otel.scope.version") or tags.get("otel.library.version", ""),
        events=_events(plain, limits),
    )


def _is_object(value: object) -> TypeGuard[Plain]:
    return isinstance(value, dict)


def _part(plain: Plain, key: str) -> Plain:
    value = plain.get(key)
    return value if _is_object(value) else {}


def _id(plain: Plain, key: str, digits: int) -> str:
    text = plain.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= digits or not _HEX.issuperset(text):
        raise DecodeError(f"{key} {str(text)[:64]!r} is not 1 to {digits} hexadecimal digits")
    if not text.strip("0"):
        raise DecodeError(f"{key} {text!r} is all zeros")
    return text.lower().rjust(digits, "0")


def _parent(plain: Plain) -> str:
    text = plain.get("parentId")
    return _id(plain, "parentId", 16) if text and text != "0" * len(str(text)) else ""


def _text(plain: Plain, key: str, limits: Limits) -> str:
    value = plain.get(key)
    return whole_text(value)[: limits.max_attribute_chars] if isinstance(value, str) else ""


def _time_us(plain: Plain, key: str) -> int:
    """Return a number of microseconds, 0 where there is none."""
    value = plain.get(key)
    if value is None:
        return 0
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not isinstance(value, int | float) or not whole:
        raise DecodeError(f"{key} {str(value)[:64]!r} is not a whole number of microseconds")
    if not 0 <= value <= _NEWEST_US:
        raise DecodeError(f"{key} {int(value)} is not a number of microseconds up to year 2262")
    return int(value)


def _first_annotation_us(plain: Plain) -> int:
    return min((at_us for at_us, _ in _annotations(plain) if at_us), default=0)


def _annotations(plain: Plain) -> list[tuple[int, str]]:
    found = plain.get("annotations")
    if not isinstance(found, list):
        return []
    return [
        (_time_us(each, "timestamp"), str(each.get("value", "")))
        for each in found[:_MAX_EVENTS]
        if _is_object(each)
    ]


def _events(plain: Plain, limits: Limits) -> tuple[SpanEvent, ...]:
    return tuple(
        SpanEvent(
            name=whole_text(value)[: limits.max_attribute_chars],
            time_ns=at_us * _NANOS_PER_MICRO,
            attributes={},
        )
        for at_us, value in _annotations(plain)
    )


def _tags(plain: Plain, limits: Limits) -> dict[str, str]:
    found = list(_part(plain, "tags").items())[: limits.max_span_attributes]
    return {
        whole_text(key): whole_text(value)[: limits.max_attribute_chars]
        for key, value in found
        if isinstance(value, str)
    }


def _status(tags: Mapping[str, str]) -> tuple[SpanStatus, str]:
    said, error = tags.get("otel.status_code", "").upper(), tags.get("error")
    if said == "ERROR" or (error is not None and error != "false" and said != "OK"):
        message = tags.get("otel.status_description") or error or ""
        return SpanStatus.ERROR, "" if message == "true" else message
    return (SpanStatus.OK if said == "OK" else SpanStatus.UNSET), ""


def _resource(local: Plain, limits: Limits, resources: dict[str, Resource]) -> Resource:
    service = _text(local, "serviceName", limits)
    addresses: list[object] = [a for k in ("ipv4", "ipv6") if (a := _text(local, k, limits))]
    resource: dict[str, AttributeValue] = {"service.name": service} if service else {}
    resource |= {"host.ip": addresses} if addresses else {}
    return resources.setdefault(repr(resource), resource)


def _peer(remote: Plain, limits: Limits) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    if service := _text(remote, "serviceName", limits):
        found["peer.service"] = service
    if address := _text(remote, "ipv4", limits) or _text(remote, "ipv6", limits):
        found["network.peer.address"] = address
    port = remote.get("port")
    if isinstance(port, int) and port > 0:
        found["network.peer.port"] = port
    return found
