"""OTLP attributes, from raw ``KeyValue`` bytes to tags and span attributes.

The same few thousand attributes arrive millions of times, so both readings are remembered by their
raw bytes and a hit costs one dictionary look-up.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError as ProtobufDecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from collectors.errors import DecodeError
from collectors.model import AttributeValue

_V = TypeVar("_V")

MAX_REMEMBERED = 100_000
MAX_REMEMBERED_BYTES = 1_024
MAX_NESTING = 32

# Attributes about the SDK and the operating-system process describe the sender, not what is
# measured; they would multiply series at every restart.
_NOT_TAGS = ("telemetry.", "process.")


class AttributeReader:
    """Reads raw ``opentelemetry.proto.common.v1.KeyValue`` messages.

    Args:
        max_chars: Longer text values are cut in span attributes (never in tags).
    """

    def __init__(self, max_chars: int = 4_096) -> None:
        self._max_chars = max_chars
        self._values: dict[bytes, tuple[str, AttributeValue]] = {}
        self._tags: dict[bytes, tuple[str, str]] = {}

    def value(self, raw: bytes) -> tuple[str, AttributeValue]:
        """Return the key and the value; raise :class:`DecodeError` for other bytes."""
        found = self._values.get(raw)
        if found is None:
            key, value = _parse(raw)
            found = key, self._cut(value)
            _remember(self._values, raw, found)
        return found

    def tag(self, raw: bytes) -> tuple[str, str]:
        """Return the texts of a tag; raise :class:`DecodeError` for other bytes."""
        found = self._tags.get(raw)
        if found is None:
            key, value = _parse(raw)
            found = key, as_text(value)
            _remember(self._tags, raw, found)
        return found

    def tags(self, raws: Iterable[bytes]) -> dict[str, str]:
        """Return the tags of point attributes; empty values are left out, as Atlas has none."""
        return {key: value for key, value in map(self.tag, raws) if value}

    def resource_tags(self, raws: Iterable[bytes]) -> dict[str, str]:
        """Return the tags of resource attributes that describe what is measured."""
        return {k: v for k, v in self.tags(raws).items() if not k.startswith(_NOT_TAGS)}

    def attributes(self, raws: Iterable[bytes]) -> dict[str, AttributeValue]:
        """Return span, event, link or resource attributes."""
        return dict(map(self.value, raws))

    def readable(self, raws: Iterable[bytes], flaws: list[str]) -> dict[str, AttributeValue]:
        """As :meth:`attributes`, with U+FFFD for what is not UTF-8 and without what is damaged.

        Args:
            raws: The attributes.
            flaws: Where a sentence is added for each attribute that is not as it was sent.
        """
        found: dict[str, AttributeValue] = {}
        for raw in raws:
            try:
                key, value = self.value(raw)
            except DecodeError:
                try:
                    key, value = _parse_leniently(raw)
                    flaws.append(f"attribute {key[:60]!r} is not UTF-8")
                except DecodeError as error:
                    flaws.append(error.message)
                    continue
            found[key] = value
        return found

    def _cut(self, value: AttributeValue) -> AttributeValue:
        text = value if isinstance(value, str | None) else as_text(value)
        if text is None or len(text) <= self._max_chars:
            return value
        return text[: self._max_chars]


def plain_value(value: Any) -> AttributeValue:
    """Return an ``AnyValue`` message, of whatever class, as a plain value.

    Raises:
        DecodeError: It is nested too deep, or holds what is not UTF-8.
    """
    if value.WhichOneof("value") in ("array_value", "kvlist_value"):
        try:  # where attributes stay raw bytes, so do those within
            value = AnyValue.FromString(value.SerializeToString())
        except ProtobufDecodeError as error:
            raise DecodeError(f"a body can't be read: {error}") from error
    return _plain(value, MAX_NESTING)


def as_text(value: AttributeValue) -> str:
    """Return ``value`` as the text a tag would have.

    >>> as_text(True), as_text(200), as_text(["a", 1])
    ('true', '200', '["a",1]')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"))


def _remember(cache: dict[bytes, _V], raw: bytes, value: _V) -> None:
    if len(raw) > MAX_REMEMBERED_BYTES:
        return
    if len(cache) >= MAX_REMEMBERED:
        cache.clear()
    cache[raw] = value


def _parse(raw: bytes) -> tuple[str, AttributeValue]:
    try:
        message = KeyValue.FromString(raw)
    except ProtobufDecodeError as error:
        if "UTF-8" in str(error):
            key = _parse_leniently(raw)[0]
            raise DecodeError(f"invalidUtf8: attribute {key[:60]!r} is not UTF-8") from error
        raise DecodeError(f"an attribute is not a KeyValue message: {error}") from error
    return message.key, _plain(message.value, MAX_NESTING)


def _parse_leniently(raw: bytes) -> tuple[str, AttributeValue]:
    """As :func:`_parse`, with U+FFFD for what is not UTF-8."""
    try:
        message = _byte_texts().FromString(raw)
    except ProtobufDecodeError as error:
        raise DecodeError(f"an attribute is not a KeyValue message: {error}") from error
    return message.key.decode(errors="replace"), _plain(message.value, MAX_NESTING)


@functools.cache
def _byte_texts() -> Any:
    """Return ``KeyValue`` with texts as bytes, which is the same on the wire."""
    file = descriptor_pb2.FileDescriptorProto()
    KeyValue.DESCRIPTOR.file.CopyToProto(file)
    for message in file.message_type:
        for field in message.field:
            if field.type == descriptor_pb2.FieldDescriptorProto.TYPE_STRING:
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(KeyValue.DESCRIPTOR.full_name)
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")


def _plain(value: Any, depth: int) -> AttributeValue:
    if depth == 0:
        raise DecodeError(f"an attribute is nested deeper than {MAX_NESTING} levels")
    match value.WhichOneof("value"):
        case "string_value":
            return _text(value.string_value)
        case "bool_value":
            return bool(value.bool_value)
        case "int_value":
            return int(value.int_value)
        case "double_value":
            return float(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode("ascii")
        case "array_value":
            return [_plain(item, depth - 1) for item in value.array_value.values]
        case "kvlist_value":
            return {_text(kv.key): _plain(kv.value, depth - 1) for kv in value.kvlist_value.values}
    return None
