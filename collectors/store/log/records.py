"""What the metric store writes to its log: new series, samples in columns, and bodies as sent.

A remote-write body with many samples a series is smaller than its columns: it is kept as it came,
with the series id of each of its rows.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import orjson

from collectors.errors import DecodeError
from collectors.model import FloatArray, IndexArray, IntArray, SeriesKind
from collectors.store.series.table import NewSeries, SeriesSnapshot, snapshot_of
from collectors.store.series.words import Words

SERIES, SAMPLES, BODY, BODY_V2, KINDS = 1, 2, 3, 4, 5
# Samples whose counters count whole when they fall, and parts of series.
WHOLE_SAMPLES, PARTS = 6, 7
_SAMPLES_HEADER = struct.Struct("<Iqq")
_SERIES_HEADER = struct.Struct("<II")
_BODY_HEADER = struct.Struct("<I")


def encode_series(new: NewSeries, words: Words) -> bytes:
    """Encode new series with the words that they use."""
    snapshot = snapshot_of(new.ids, new.tags, words)
    header = _SERIES_HEADER.pack(len(snapshot.ids), len(snapshot.pairs))
    return b"".join((header, *(column.tobytes() for column in snapshot.columns().values())))


def decode_series(payload: bytes) -> SeriesSnapshot:
    """Read what :func:`encode_series` wrote."""
    series, numbers = _SERIES_HEADER.unpack_from(payload)
    at = _SERIES_HEADER.size
    if len(payload) < at + 8 * series + 4 * numbers:
        raise DecodeError(f"a series record of the log has {len(payload)} bytes: it is cut short")
    columns = np.frombuffer(payload, np.int32, 2 * series + numbers, at).copy()
    ids, counts, pairs = np.split(columns, [series, 2 * series])
    words = np.frombuffer(payload, np.uint8, offset=at + columns.nbytes)
    return SeriesSnapshot(ids=ids, counts=counts, pairs=pairs, words=words)


def encode_body(ids: IndexArray, body: bytes) -> bytes:
    """Encode a compressed remote-write body and the id of each of its series, -1 for none."""
    return b"".join((_BODY_HEADER.pack(len(ids)), ids.tobytes(), body))


def decode_body_record(payload: bytes) -> tuple[IndexArray, bytes]:
    """Read what :func:`encode_body` wrote."""
    (count,) = _BODY_HEADER.unpack_from(payload)
    at = _BODY_HEADER.size
    ids = np.frombuffer(payload, np.int32, count, at).copy()
    return ids, payload[at + ids.nbytes :]


def encode_kinds(kinds: Mapping[str, str]) -> bytes:
    """Encode the kinds that senders told of metrics by name, "" where the name decides."""
    return orjson.dumps(kinds)


def decode_kinds(payload: bytes) -> dict[str, str]:
    """Read what :func:`encode_kinds` wrote."""
    try:
        kinds = orjson.loads(payload)
        return {str(name): kind and SeriesKind(kind) for name, kind in kinds.items()}
    except (orjson.JSONDecodeError, AttributeError, ValueError) as error:
        raise DecodeError(f"kinds of {len(payload)} bytes in the log are damaged") from error


def encode_samples(series: IndexArray, time_ms: IntArray, value: FloatArray) -> bytes:
    """Encode three columns; times as 32-bit offsets, or once when all are equal."""
    base = int(time_ms.min()) if len(time_ms) else 0
    offset = time_ms - base
    span = int(offset.max()) if len(offset) else 0
    width = np.int64 if span >= 1 << 31 else np.int32
    header = _SAMPLES_HEADER.pack(len(value), base, span)
    times = offset.astype(width).tobytes() if span else b""
    return b"".join((header, value.tobytes(), times, series.tobytes()))


def encode_parts(
    series: IndexArray, start_ms: IntArray, time_ms: IntArray, value: FloatArray
) -> bytes:
    """Encode four columns: the parts' lengths, then the rest as samples."""
    lengths = (time_ms - start_ms).astype(np.int64)
    samples = encode_samples(series, time_ms, value)
    return b"".join((_BODY_HEADER.pack(len(lengths)), lengths.tobytes(), samples))


def decode_parts(payload: bytes) -> tuple[IndexArray, IntArray, IntArray, FloatArray]:
    """Read what :func:`encode_parts` wrote."""
    (count,) = _BODY_HEADER.unpack_from(payload)
    lengths = np.frombuffer(payload, np.int64, count, _BODY_HEADER.size)
    series, time_ms, value = decode_samples(payload[_BODY_HEADER.size + lengths.nbytes :])
    return series, time_ms - lengths, time_ms, value


def decode_samples(payload: bytes) -> tuple[IndexArray, IntArray, FloatArray]:
    """Read what :func:`encode_samples` wrote."""
    count, base, span = _SAMPLES_HEADER.unpack_from(payload)
    at = _SAMPLES_HEADER.size
    # Copies, because a kernel would be compiled once more for read-only arrays.
    value = np.frombuffer(payload, np.float64, count, at).copy()
    at += value.nbytes
    if span:
        width = np.dtype(np.int64 if span >= 1 << 31 else np.int32)
        time = np.frombuffer(payload, width, count, at).astype(np.int64) + base
        at += count * width.itemsize
    else:
        time = np.full(count, base, dtype=np.int64)
    return np.frombuffer(payload, np.int32, count, at).copy(), time, value
