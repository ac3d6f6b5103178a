"""Fields of protobuf messages on the wire, for kernels: keys, varints, and what is skipped.

What is no message to Google's decoder is none here: a key takes at most 5 bytes and has a field
number, a length takes at most 5, a number at most 10. Groups, which no sender of ours writes, are
skipped as every other field that nobody knows.

Source: protobuf ``docs/encoding.md``; bounds as in upb's ``wire/reader.h``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import called, inlined

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)
_MAX_KEY = 0xFFFFFFFF
_MAX_KEY_BYTES = 5
# Messages and groups that may stand in one another.
_MAX_NESTING = 100
# An odd number and its inverse modulo 2**64.
_MIX, _UNMIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xF1DE83E19937733D)


@inlined
def varint_at(data: NDArray[np.uint8], at: int, end: int) -> tuple[np.int64, int]:
    """Return a varint and the offset behind it; the offset is -1 when it is cut or too long."""
    result = np.uint64(0)
    shift = 0
    while at < end and shift < 70:
        byte = data[np.uint64(at)]
        at += 1
        result |= np.uint64(byte & 0x7F) << np.uint64(shift)
        if byte < 0x80:
            return np.int64(result), at
        shift += 7
    return np.int64(0), -1


@called
def _any_key_at(data: NDArray[np.uint8], at: int, end: int) -> tuple[np.int64, int]:
    """As :func:`key_at`, with field 0 allowed: in a group that is skipped nobody minds it."""
    key, behind = varint_at(data, at, end)
    if not 0 <= key <= _MAX_KEY or behind - at > _MAX_KEY_BYTES:
        return np.int64(0), -1
    return key, behind


@inlined
def key_at(data: NDArray[np.uint8], at: int, end: int) -> tuple[np.int64, int]:
    """Return a field's key and the offset behind it; the offset is -1 when no field has that."""
    if at < end:
        byte = data[np.uint64(at)]
        if 8 <= byte < 0x80:  # as nearly all are
            return np.int64(byte), at + 1
    key, behind = _any_key_at(data, at, end)
    return key, behind if key >> 3 != 0 else -1


@called
def _skip_plain(data: NDArray[np.uint8], at: int, end: int, wire_type: int | np.int64) -> int:
    """Return the offset behind a value that is no group, -1 when it does not fit."""
    if wire_type == VARINT:
        _, at = varint_at(data, at, end)
    elif wire_type == BYTES:
        length, body = varint_at(data, at, end)
        fits = body >= 0 and body - at <= _MAX_KEY_BYTES and 0 <= length <= end - body
        at = body + int(length) if fits else -1
    elif wire_type == FIXED64:
        at += 8
    elif wire_type == FIXED32:
        at += 4
    else:
        return -1
    return at if at <= end else -1


@called
def _skip_group(
    data: NDArray[np.uint8], at: int, end: int, number: int | np.int64, nesting: int
) -> int:
    """Return the offset behind a group whose start was read, -1 when it does not end well.

    The numbers of the groups that are open are kept in one: each start is mixed in, and each end
    takes its own out again. What is left is 0 if every end was that of the group opened last.
    """
    opened, depth = np.uint64(number), nesting + 1
    while at < end and depth <= _MAX_NESTING:
        key, at = _any_key_at(data, at, end)
        if at < 0:
            return -1
        wire_type, of_key = key & 7, np.uint64(key >> 3)
        if wire_type == START_GROUP:
            opened = opened * _MIX + of_key
            depth += 1
        elif wire_type == END_GROUP:
            opened = (opened - of_key) * _UNMIX
            depth -= 1
            if depth == nesting:
                return at if opened == 0 else -1
        else:
            at = _skip_plain(data, at, end, wire_type)
            if at < 0:
                return -1
    return -1


@inlined
def skip_field(
    data: NDArray[np.uint8], at: int, end: int, key: int | np.int64, nesting: int
) -> int:
    """Return the offset behind a field's value, -1 when it does not fit.

    Args:
        data: The bytes.
        at: Behind the field's key.
        end: Where its message ends.
        key: The key.
        nesting: How many messages stand around the field's own.
    """
    wire_type = key & 7
    if wire_type == BYTES and at < end and data[np.uint64(at)] < 0x80:  # as nearly all are
        at += 1 + int(data[np.uint64(at)])
        return at if at <= end else -1
    if wire_type == START_GROUP:
        return _skip_group(data, at, end, key >> 3, nesting)
    return _skip_plain(data, at, end, wire_type)
