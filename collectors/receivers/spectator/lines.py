"""One line of spectatord's protocol: ``type[,extra]:name[,key=value]*:value``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from collectors.errors import DecodeError

TYPES = "ACDSTUXcdgmt"
MAX_LINE_BYTES = 8_192

# spectatord takes the number at the start of the value and ignores what follows.
_NUMBER = re.compile(rb"\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))")

_INTEGER = re.compile(rb"\s*(\d{1,20})")


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart: ``extra`` is a gauge's TTL in seconds or an X's time in ms, 0 if absent.

    ``identity`` is the raw bytes of name and tags, ``value`` the raw bytes after the last colon.
    """

    type: str
    extra: int
    identity: bytes
    value: bytes

    def number(self) -> float:
        """Return the value as a number; raise :class:`DecodeError` if it is none or not finite."""
        match = _NUMBER.match(self.value)
        number = float(match.group(1)) if match else math.nan
        if not math.isfinite(number):
            raise DecodeError(f"badValue: {shown(self.value)} is not a finite number")
        return number

    def integer(self) -> int:
        """Return the integer at the start of the value; raise if there is none."""
        match = _INTEGER.match(self.value)
        if match is None:
            raise DecodeError(f"badValue: {shown(self.value)} is not an integer below 2^64")
        return int(match.group(1)) % 2**64


def split_line(raw: bytes) -> Line:
    """Return the parts of a line; raise :class:`DecodeError` ``reason: detail`` if it has none."""
    if len(raw) > MAX_LINE_BYTES:
        raise DecodeError(f"lineTooLong: {len(raw)} bytes, at most {MAX_LINE_BYTES} are read")
    head, colon, rest = raw.partition(b":")
    identity, value_colon, value = rest.rpartition(b":")
    symbol, comma, extra = head.partition(b",")
    if not colon or not value_colon or not identity:
        raise DecodeError(f"badLine: {shown(raw)} is not type:name,tags:value")
    kind = symbol.decode("ascii", "replace")
    if len(kind) != 1 or kind not in TYPES:
        raise DecodeError(f"unknownType: {shown(symbol)} is none of {TYPES}")
    number = 0
    if comma:
        if not extra.isdigit() or len(extra) > 15 or int(extra) == 0:
            raise DecodeError(f"badExtra: {shown(extra)} after the type is not a positive integer")
        number = int(extra)
    return Line(kind, number, identity, value)


def tags_of(identity: bytes) -> dict[str, str]:
    """Return the tags of ``name[,key=value]*``, ``name`` first.

    >>> tags_of(b"ipc.call,id=a b")
    {'name': 'ipc.call', 'id': 'a b'}
    """
    try:
        name, *pairs = identity.decode("utf-8").split(",")
    except UnicodeDecodeError as error:
        raise DecodeError(f"invalidUtf8: {shown(identity)} is not UTF-8") from error
    tags = {"name": name.strip()}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value or key == "name":
            raise DecodeError(f"badTag: {shown(pair.encode())} is not key=value")
        tags[key] = value
    if not tags["name"]:
        raise DecodeError("nameMissing: a line has no name")
    return tags


def shown(raw: bytes) -> str:
    """Return the beginning of ``raw`` for an error message."""
    return repr(raw[:80].decode("utf-8", "replace"))
