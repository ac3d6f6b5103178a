"""Writes remote-write 1.0 bodies: the other side of the walker, for tests and benchmarks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import cramjam

_MASK = (1 << 64) - 1


def varint(number: int) -> bytes:
    """Encode ``number``; a negative one as its two's complement, as protobuf does."""
    number &= _MASK
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """Encode a length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def label_fields(labels: Mapping[str, str]) -> bytes:
    """Encode the Label fields of a TimeSeries, sorted by key."""
    return b"".join(
        field(1, field(1, key.encode()) + field(2, labels[key].encode())) for key in sorted(labels)
    )


def sample_field(time_ms: int, value: float) -> bytes:
    """Encode the Sample field of a TimeSeries."""
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_ms))


def series_field(labels: bytes, samples: Iterable[tuple[int, float]]) -> bytes:
    """Encode the TimeSeries field of a WriteRequest from its label fields and (time, value)."""
    return field(1, labels + b"".join(sample_field(time, value) for time, value in samples))


def write_request(
    series: Iterable[tuple[Mapping[str, str], Iterable[tuple[int, float]]]],
) -> bytes:
    """Return a snappy-compressed WriteRequest."""
    request = b"".join(series_field(label_fields(labels), samples) for labels, samples in series)
    return bytes(cramjam.snappy.compress_raw(request))
