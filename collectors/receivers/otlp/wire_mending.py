"""Takes a protobuf export request apart unit by unit, leaving out what can't be parsed.

protobuf refuses a whole message for one string in it that is not UTF-8, or for one damaged part.
Encoding: protobuf.dev, "Encoding", version 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError

from collectors.errors import DecodeError
from collectors.receivers.otlp.units import Flaws, is_unit, parts_by_number
from collectors.receivers.work.budget import Budget

_VARINT, _LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_MAX_VARINT_BYTES = 10
_NOT_UTF8, _DAMAGED = "invalidUtf8", "damaged"

Parse = Callable[[Any, bytes], object]


class _Field(NamedTuple):
    """A field on the wire: its number, its content if it has a length, and all its bytes."""

    number: int
    content: bytes | None
    raw: bytes


class Mender:
    """Mends one request.

    Args:
        parse: Parses a message of a type, or raises protobuf's ``DecodeError``.
        flaws: Where what is lost is noted.
        budget: What the request may still cost.
    """

    def __init__(self, parse: Parse, flaws: Flaws, budget: Budget) -> None:
        self._parse = parse
        self._flaws = flaws
        self._budget = budget

    def mend(self, descriptor: Any, raw: bytes) -> bytes:
        """Return a message without the parts that can't be parsed.

        Args:
            descriptor: The message's type.
            raw: The message.

        Raises:
            DecodeError: Its own fields can't be parsed.
            TooLargeError: The budget is used up.
        """
        try:
            self._parse(descriptor, raw)
        except ProtobufDecodeError:
            return self._mended(descriptor, raw)
        return raw

    def _mended(self, descriptor: Any, raw: bytes) -> bytes:
        parts = parts_by_number(descriptor)
        fields = list(self._split(raw))
        own = b"".join(f.raw for f in fields if f.number not in parts or f.content is None)
        try:
            self._parse(descriptor, own)
        except ProtobufDecodeError as error:
            raise DecodeError(self._why(descriptor, own)) from error
        kept = [own]
        for field in fields:
            part = parts.get(field.number)
            if part is None or field.content is None:
                continue
            content = self._part(part.message_type, field.content)
            if content is not None:
                kept.append(_tagged(field.number, content))
        return b"".join(kept)

    def _part(self, descriptor: Any, raw: bytes) -> bytes | None:
        try:
            return self.mend(descriptor, raw)
        except DecodeError as error:
            reason, _, detail = error.message.partition(": ")
            count = max(1, self._units_within(descriptor, raw))
            reason = reason if reason == _NOT_UTF8 else ""
            self._flaws.lose(descriptor, count, detail, reason)
            return None

    def _why(self, descriptor: Any, raw: bytes) -> str:
        """Return a reason, a colon and what is wrong with a message's own fields."""
        strings = {
            f.number: f.name for f in descriptor.fields if f.type == FieldDescriptor.TYPE_STRING
        }
        for number, content, _ in self._split(raw):
            if content is None or number not in strings:
                continue
            try:
                content.decode()
            except UnicodeDecodeError as error:
                shown = content[:60].decode(errors="replace")
                name = f"{descriptor.name}.{strings[number]}"
                return f"{_NOT_UTF8}: {name} {shown!r} is not UTF-8: {error.reason}"
        return f"{_DAMAGED}: a {descriptor.name} of {len(raw)} bytes can't be parsed"

    def _units_within(self, descriptor: Any, raw: bytes) -> int:
        """Return how many units a message that is lost holds, as far as it can be read."""
        if is_unit(descriptor):
            return 1
        parts = parts_by_number(descriptor)
        try:
            return sum(
                self._units_within(parts[number].message_type, content)
                for number, content, _ in self._split(raw)
                if content is not None and number in parts
            )
        except DecodeError:
            return 0

    def _split(self, raw: bytes) -> Iterator[_Field]:
        """Yield the fields of a message; raise :class:`DecodeError` where it is damaged."""
        at = 0
        while at < len(raw):
            field = _field_at(raw, at)
            at += len(field.raw)
            self._budget.spend()
            yield field


def _field_at(raw: bytes, first: int) -> _Field:
    tag, at = _varint(raw, first)
    number, wire_type = tag >> 3, tag & 7
    content = None
    if wire_type == _VARINT:
        _, at = _varint(raw, at)
    elif wire_type in _FIXED_BYTES:
        at += _FIXED_BYTES[wire_type]
    elif wire_type == _LENGTH:
        length, at = _varint(raw, at)
        content = raw[at : at + length]
        at += length
    else:
        raise DecodeError(f"{_DAMAGED}: wire type {wire_type} at byte {first} of {len(raw)}")
    if at > len(raw) or number == 0:
        raise DecodeError(f"{_DAMAGED}: field {number} at byte {first} of {len(raw)}")
    return _Field(number, content, raw[first:at])


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(raw[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, at + i + 1
    raise DecodeError(f"{_DAMAGED}: a number at byte {at} of {len(raw)} has no end")


def _tagged(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _LENGTH) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
