"""Writes remote-write bodies: the other side of the walkers, for tests and benchmarks."""

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


def write_request_v2(
    series: Iterable[tuple[Mapping[str, str], Iterable[tuple[int, float]]]],
    *,
    metric_type: int = 0,
    start_ms: int = 0,
) -> bytes:
    """Return a snappy-compressed Request of protocol 2.0.

    Args:
        series: Labels and samples.
        metric_type: Of every metric.
        start_ms: When every series began to count, 0 to say nothing.
    """
    numbers = {"": 0}
    rows = []
    for labels, samples in series:
        texts = [text for key in sorted(labels) for text in (key, labels[key])]
        refs = b"".join(varint(numbers.setdefault(text, len(numbers))) for text in texts)
        row = field(1, refs) + b"".join(sample_field(time, value) for time, value in samples)
        row += field(5, b"\x08" + varint(metric_type)) if metric_type else b""
        row += b"\x30" + varint(start_ms) if start_ms else b""
        rows.append(field(5, row))
    symbols = [field(4, text.encode()) for text in numbers]
    return bytes(cramjam.snappy.compress_raw(b"".join(symbols + rows)))
