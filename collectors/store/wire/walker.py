"""Walks a remote-write 1.0 body (protobuf bytes) into columns.

Source: Prometheus remote-write specification 1.0, ``WriteRequest{timeseries=1{labels=1, samples=2
{value=1 double, timestamp=2 int64}, exemplars=3, histograms=4}, metadata=3}``.

What a body looks like, with each message's tag and length before it, and what is noted of it::

    body        │0a len│ TimeSeries │0a len│ TimeSeries │1a len│ MetricMetadata
                       ╰─ row 0 ───╯       ╰─ row 1 ───╯╰─ counted in tally[4] ╯

    TimeSeries  │0a len│ Label │0a len│ Label │12 10│ Sample │12 10│ Sample │1a len│ Exemplar │
                ╰─ labels[row], hash[row] ───╯╰─ time_ms[n], bits[n], … ───╯
                ╰─ extras[e], as there is an exemplar ─────────────────────────────────────────╯

The samples of all rows follow one another; ``samples[row]`` says how many are its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.kernel import inlined, kernel
from collectors.store.wire.fields import BYTES, FIXED64, VARINT, key_at, skip_field, varint_at
from collectors.store.wire.hashing import hash_range, word_at

_TIME_SERIES, _METADATA = 1, 3
_LABEL, _SAMPLE, _EXEMPLAR, _HISTOGRAM = 1, 2, 3, 4
_VALUE, _TIME = 1 << 3 | FIXED64, 2 << 3 | VARINT
# A Sample field with a value and a time from 1971 to 2109, read as two words:
#
#     at  +0  +1  +2  +3 ──────── +10  +11  +12 ─────────────── +17
#         12  10  09  v0 …         v7   10   t0  t1  t2  t3  t4  t5
#         │   │   │   value, 8 bytes    │    time, a varint of 6 bytes with 7 bits each, the
#         │   │   tag of the value      │    lowest first; all but the last have the high bit set
#         │   length, 16                tag of the time
#         tag of a Sample
#         ╰─ head ──╯              ╰─ tail ──────────────────────╯   the first byte of tail is v7
PLAIN = 18
_PLAIN_HEAD = np.uint64(0x091012)
_PLAIN_TAIL = np.uint64(0x0080_8080_8080_1000)
_PLAIN_TAIL_MASK = np.uint64(0x8080_8080_8080_FF00)


class Columns(NamedTuple):
    """A decoded body: S series, N samples.

    Attributes:
        hash: (S, 2) uint64, hashes of the label bytes.
        labels: (S, 2) int64, where the label bytes start and end.
        samples: (S,) int32, number of samples of each series; they follow one another.
        time_ms: (N,) int64.
        bits: (N,) uint64, the values' bits.
        extras: (E, 2) int64, where the messages of series with native histograms or exemplars
            start and end.
        tally: (5,) int64: series, samples, series with native histograms or exemplars, offset of
            damage or -1, metadata.
    """

    hash: NDArray[np.uint64]
    labels: NDArray[np.int64]
    samples: NDArray[np.int32]
    time_ms: NDArray[np.int64]
    bits: NDArray[np.uint64]
    extras: NDArray[np.int64]
    tally: NDArray[np.int64]

    @property
    def value(self) -> NDArray[np.float64]:
        """The values, (N,)."""
        return self.bits.view(np.float64)


@inlined
def _sample(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    bits: NDArray[np.uint64],
    time: NDArray[np.int64],
    n: int,
) -> bool:
    """Read one Sample message into ``bits[n]`` and ``time[n]``; False when it is damaged."""
    bits[n] = np.uint64(0)
    time[n] = 0
    while at < end:
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        if key == _VALUE and at + 8 <= end:
            bits[n] = word_at(data, at)
            at += 8
        elif key == _TIME:
            time[n], at = varint_at(data, at, end)
        else:
            at = skip_field(data, at, end, key, 2)
        if at < 0:
            return False
    return True


@inlined
def plain_sample(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    bits: NDArray[np.uint64],
    time: NDArray[np.int64],
    n: int,
) -> bool:
    """Read a Sample field as every sender writes it in this century; False when it is another.

    That is 18 bytes: tag and length, tag and 8 bytes of value, tag and 6 bytes of time.
    """
    if at + PLAIN > end or at + PLAIN > len(data):
        return False
    head = word_at(data, at) & np.uint64(0xFFFFFF)
    tail = word_at(data, at + 10)
    if head != _PLAIN_HEAD or tail & _PLAIN_TAIL_MASK != _PLAIN_TAIL:
        return False
    bits[n] = word_at(data, at + 3)
    t = tail >> np.uint64(16)
    low = (t & np.uint64(0x7F)) | (t >> np.uint64(1)) & np.uint64(0x3F80)
    low |= (t >> np.uint64(2)) & np.uint64(0x1FC000) | (t >> np.uint64(3)) & np.uint64(0xFE00000)
    high = (t >> np.uint64(4)) & np.uint64(0x7F0000000)
    high |= (t >> np.uint64(5)) & np.uint64(0x3F800000000)
    time[n] = np.int64(low | high)
    return True


@inlined
def _note_extras(out: Columns, start: int, end: int, extras: int) -> None:
    """Note where a series' message stands if it has native histograms or exemplars."""
    if extras:
        out.extras[out.tally[2], 0], out.extras[out.tally[2], 1] = start, end
        out.tally[2] += 1


@inlined
def _series(data: NDArray[np.uint8], at: int, end: int, out: Columns, seed: np.uint64) -> bool:
    """Read one TimeSeries message into the next row of ``out``; False when it is damaged."""
    row, first = out.tally[0], out.tally[1]
    start, label_start, label_end = at, -1, -1
    extras = 0
    while at < end:
        if plain_sample(data, at, end, out.bits, out.time_ms, out.tally[1]):
            out.tally[1] += 1
            at += PLAIN
            continue
        field_at = at
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        body = at
        if key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        at = skip_field(data, at, end, key, 1)
        if at < 0:
            return False
        if key == _LABEL << 3 | BYTES:
            if label_start < 0:
                label_start = field_at
            elif label_end != field_at:
                # Labels that do not stand together: the whole message becomes the key.
                label_start, label_end = start, end
                continue
            label_end = at
        elif key == _SAMPLE << 3 | BYTES:
            n = out.tally[1]
            if not _sample(data, body, at, out.bits, out.time_ms, n):
                return False
            out.tally[1] = n + 1
        elif key == _HISTOGRAM << 3 | BYTES or key == _EXEMPLAR << 3 | BYTES:
            extras += 1
    _note_extras(out, start, end, extras)
    out.labels[row, 0], out.labels[row, 1] = max(label_start, 0), max(label_end, 0)
    out.hash[row] = hash_range(data, out.labels[row, 0], out.labels[row, 1], seed)
    out.samples[row] = out.tally[1] - first
    out.tally[0] = row + 1
    return True


@kernel
def _walk(data: NDArray[np.uint8], out: Columns, seed: np.uint64) -> None:
    """Read a WriteRequest; stops at damage and notes its offset."""
    at, end = 0, len(data)
    while at < end:
        field_at = at
        key, at = key_at(data, at, end)
        body = at
        if at >= 0 and key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        if at >= 0:
            at = skip_field(data, at, end, key, 0)
        sound = at >= 0
        if sound and key == _TIME_SERIES << 3 | BYTES:
            sound = _series(data, body, at, out, seed)
        elif key == _METADATA << 3 | BYTES:
            out.tally[4] += 1
        if not sound:
            out.tally[3] = field_at
            return


def make_columns(body_bytes: int) -> Columns:
    """Return room for any body of that size; memory is taken only where it is written."""
    most = body_bytes // 2 + 1
    return Columns(
        hash=np.empty((most, 2), np.uint64),
        labels=np.empty((most, 2), np.int64),
        samples=np.empty(most, np.int32),
        time_ms=np.empty(most, np.int64),
        bits=np.empty(most, np.uint64),
        extras=np.empty((most, 2), np.int64),
        tally=np.array([0, 0, 0, -1, 0], dtype=np.int64),
    )


def walk(data: NDArray[np.uint8], seed: int) -> Columns:
    """Decode a body.

    Raises:
        DecodeError: The bytes are not a WriteRequest.
    """
    out = make_columns(len(data))
    data = data.view()
    data.flags.writeable = False  # one type for the kernel, wherever the bytes come from
    _walk(data, out, np.uint64(seed))
    series, samples, extras, damage, _ = out.tally.tolist()
    if damage >= 0:
        raise DecodeError(f"the write request is damaged at byte {damage} of {len(data)}")
    return Columns(
        hash=out.hash[:series],
        labels=out.labels[:series],
        samples=out.samples[:series],
        time_ms=out.time_ms[:samples],
        bits=out.bits[:samples],
        extras=out.extras[:extras],
        tally=out.tally,
    )
