"""OTLP's JSON encoding → protobuf bytes.

It differs from protobuf's own JSON: ids are hexadecimal, enums are integers, names are
lowerCamelCase only, and unknown fields are ignored (opentelemetry-proto, specification.md, "JSON
Protobuf Encoding").
"""

from __future__ import annotations

import base64
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message

from collectors.errors import DecodeError

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_ENUMS = frozenset({"kind", "code", "aggregationTemporality", "severityNumber"})
_MAX_DEPTH = 80
# No legal id is one byte long: what has it is refused by itself, and its neighbours are kept.
_NO_ID = b"?"


def to_protobuf(body: bytes, message: Message) -> bytes:
    """Return ``body`` re-encoded as protobuf.

    Args:
        body: An OTLP/JSON export request.
        message: An empty message of the request's type.

    Raises:
        DecodeError: The body is not OTLP/JSON.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"the body of {len(body)} bytes is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DecodeError(f"an export request is a JSON object, not {type(document).__name__}")
    try:
        json_format.ParseDict(_standard(document, 0), message, ignore_unknown_fields=True)
        return message.SerializeToString()
    except (json_format.ParseError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise DecodeError(f"the JSON body does not follow OTLP: {str(error)[:300]}") from error


def _standard(value: Any, depth: int) -> Any:
    """Return ``value`` in protobuf's own JSON mapping."""
    if depth > _MAX_DEPTH:
        raise DecodeError(f"the JSON body is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_standard(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _field(key, item, depth) for key, item in value.items() if "_" not in key}


def _field(key: str, value: Any, depth: int) -> Any:
    if key in _IDS and isinstance(value, str):
        return base64.b64encode(_id_bytes(value)).decode("ascii")
    if key in _ENUMS and isinstance(value, str):
        raise DecodeError(f"{key} {value[:64]!r} must be the enum's integer, not its name")
    return _standard(value, depth + 1)


def _id_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return _NO_ID
