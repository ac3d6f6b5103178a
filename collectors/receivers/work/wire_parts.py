"""How many fields a protobuf message holds at all levels, counted without making anything of it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel

# Fields of telemetry's messages have lower numbers; what is beyond holds nothing.
_FIELDS = 64
# upb refuses what is nested deeper.
_DEPTH = 101
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@inlined
def _varint(data: NDArray[np.uint8], at: int, end: int) -> tuple[np.int64, int]:
    result, shift = np.int64(0), 0
    while at < end and shift < 70:
        byte = np.int64(data[np.uint64(at)])
        at += 1
        if shift < 63:
            result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
    return np.int64(0), -1


@kernel
def _count(
    data: NDArray[np.uint8],
    inner: NDArray[np.int16],
    ends: NDArray[np.int64],
    types: NDArray[np.int64],
    most: int,
) -> int:
    """Return how many fields there are up to the first damage, at most one more than ``most``."""
    depth, at, count = 0, 0, 0
    while count <= most:
        while at >= ends[depth]:
            if depth == 0:
                return count
            depth -= 1
        end = int(ends[depth])
        key, at = _varint(data, at, end)
        if at < 0:
            return count
        count += 1
        wire, number = key & 7, key >> 3
        if wire == _VARINT:
            _, at = _varint(data, at, end)
            if at < 0:
                return count
        elif wire == _FIXED64:
            at += 8
        elif wire == _FIXED32:
            at += 4
        elif wire == _BYTES:
            length, at = _varint(data, at, end)
            if at < 0 or length < 0 or length > end - at:
                return count
            child = inner[types[depth], number] if 0 < number < _FIELDS else np.int16(-1)
            if child >= 0 and depth + 1 < _DEPTH:
                depth += 1
                ends[depth], types[depth] = at + length, child
            else:
                at += int(length)
        else:
            return count
    return count


def count_fields(body: bytes, descriptor: Any, most: int) -> int:
    """Return how many fields a message has, up to the first damage, at most ``most + 1``.

    Args:
        body: The message.
        descriptor: Its type, with messages where a receiver may leave them raw bytes.
        most: Where counting may end.
    """
    ends, types = np.zeros(_DEPTH, dtype=np.int64), np.zeros(_DEPTH, dtype=np.int64)
    ends[0] = len(body)
    data = np.frombuffer(body, dtype=np.uint8)
    return int(_count(data, _inner_types(descriptor), ends, types, most))


@functools.cache
def _inner_types(descriptor: Any) -> NDArray[np.int16]:
    """Return for each type of message below a type, and each field, the number of its type."""
    known = [descriptor]
    rows: list[dict[int, int]] = []
    for message in known:
        row = {}
        for field in message.fields:
            if field.message_type is not None and field.number < _FIELDS:
                if field.message_type not in known:
                    known.append(field.message_type)
                row[field.number] = known.index(field.message_type)
        rows.append(row)
    table = np.full((len(rows), _FIELDS), -1, dtype=np.int16)
    for number, row in enumerate(rows):
        for field_number, child in row.items():
            table[number, field_number] = child
    return table
