"""Walks a remote-write 2.0 body (protobuf bytes) into columns.

Texts stand once, in a table of symbols; series refer to them by number. Each symbol is hashed once,
and what stands for a series' labels is a hash of those hashes, so that it is the same in every
request whatever the numbers are.

Source: Prometheus ``io/prometheus/write/v2/types.proto``, ``Request{symbols=4, timeseries=5
{labels_refs=1, samples=2 {value=1, timestamp=2, start_timestamp=3}, histograms=3, exemplars=4,
metadata=5 {type=1}, created_timestamp=6}}``.

Two passes, as symbols may stand behind the series that refer to them. The first finds symbols and
checks that every field of the request fits; the second reads the series::

    body        │22 00│  │22 08│ __name__ │22 02│ up │ … │2a len│ TimeSeries │ …
                symbol 0 ╯     ╰─ 1 ─────╯      ╰ 2 ╯            ╰─ row 0 ───╯

    TimeSeries  │0a 04│ 1 2 7 9 │12 10│ Sample │12 10│ Sample │2a len│ Metadata │30│ created
                      ╰ refs[r] ╯╰─ time_ms[n], bits[n], … ──╯       ╰ types ───╯  ╰ start_ms

References and samples of all rows follow one another; ``ref_counts[row]`` and ``samples[row]`` say
how many are its own. A number of symbols is the sender's and changes from request to request, so
``hash[row]`` is made of the hashes of the symbols.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.kernel import inlined, kernel
from collectors.store.wire.fields import BYTES, FIXED64, VARINT, key_at, skip_field, varint_at
from collectors.store.wire.hashing import hash_range, mixed_in, word_at
from collectors.store.wire.walker import PLAIN, plain_sample

_SYMBOL, _TIME_SERIES = 4 << 3 | BYTES, 5 << 3 | BYTES
_PACKED_LABELS, _ONE_LABEL = 1 << 3 | BYTES, 1 << 3 | VARINT
_SAMPLE, _HISTOGRAM, _EXEMPLAR = 2 << 3 | BYTES, 3 << 3 | BYTES, 4 << 3 | BYTES
_METADATA, _CREATED = 5 << 3 | BYTES, 6 << 3 | VARINT
_TYPE = 1 << 3 | VARINT
_VALUE, _TIME, _START = 1 << 3 | FIXED64, 2 << 3 | VARINT, 3 << 3 | VARINT
_UNKNOWN, _COUNTER, _GAUGE, _HISTOGRAMS, _SUMMARY = 0, 1, 2, 3, 5
_UINT32 = 0xFFFFFFFF
_SERIES, _SAMPLES, _EXTRAS, _DAMAGE, _REFS = range(5)
_LABELS_SEED = np.uint64(0x2545F4914F6CDD1D)


class Symbols(NamedTuple):
    """The texts of a body: K symbols.

    Attributes:
        places: (K, 2) int64, where each starts and ends.
        hash: (K, 2) uint64.
    """

    places: NDArray[np.int64]
    hash: NDArray[np.uint64]


class ColumnsV2(NamedTuple):
    """A decoded body: S series, N samples, R references.

    Attributes:
        hash: (S, 2) uint64, of the labels and the type; (1, 0) where references are wrong.
        samples: (S,) int32, number of samples of each series; they follow one another.
        types: (S,) int8, the metric's type, one of ``MetricType``.
        start_ms: (S,) int64, when a counter began to count, 0 when nobody says.
        flawed: (S,) int8, 1 where references are wrong.
        ref_counts: (S,) int32, references of each series; they follow one another.
        refs: (R,) int64, numbers of symbols, names and values alternating.
        time_ms: (N,) int64.
        bits: (N,) uint64, the values' bits.
        extras: (E, 2) int64, where the messages of series with native histograms or exemplars
            start and end.
        tally: (5,) int64: series, samples, series with native histograms or exemplars, offset of
            damage or -1, references.
    """

    hash: NDArray[np.uint64]
    samples: NDArray[np.int32]
    types: NDArray[np.int8]
    start_ms: NDArray[np.int64]
    flawed: NDArray[np.int8]
    ref_counts: NDArray[np.int32]
    refs: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    bits: NDArray[np.uint64]
    extras: NDArray[np.int64]
    tally: NDArray[np.int64]

    @property
    def value(self) -> NDArray[np.float64]:
        """The values, (N,)."""
        return self.bits.view(np.float64)


@kernel
def _walk_symbols(
    data: NDArray[np.uint8],
    places: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    tally: NDArray[np.int64],
    seed: np.uint64,
) -> None:
    """Find the symbols; ``tally`` becomes: symbols, offset of damage or -1."""
    at, end = 0, len(data)
    while at < end:
        field_at = at
        key, at = key_at(data, at, end)
        body = at
        if at >= 0 and key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        if at >= 0:
            at = skip_field(data, at, end, key, 0)
        if at < 0:
            tally[1] = field_at
            return
        if key == _SYMBOL:
            n = tally[0]
            places[n, 0], places[n, 1] = body, at
            hashes[n] = hash_range(data, body, at, seed)
            tally[0] = n + 1


@inlined
def _sample(data: NDArray[np.uint8], at: int, end: int, out: ColumnsV2, first: np.int64) -> bool:
    """Read one Sample message; False when it is damaged. ``first`` is the series' first sample."""
    n = out.tally[_SAMPLES]
    out.bits[n], out.time_ms[n] = np.uint64(0), 0
    start = np.int64(0)
    while at < end:
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        if key == _VALUE and at + 8 <= end:
            out.bits[n] = word_at(data, at)
            at += 8
        elif key == _TIME:
            out.time_ms[n], at = varint_at(data, at, end)
        elif key == _START:
            start, at = varint_at(data, at, end)
        else:
            at = skip_field(data, at, end, key, 2)
        if at < 0:
            return False
    if n == first and start != 0:
        out.start_ms[out.tally[_SERIES]] = start
    out.tally[_SAMPLES] = n + 1
    return True


@inlined
def _packed(data: NDArray[np.uint8], at: int, end: int, out: ColumnsV2) -> bool:
    """Read packed references; False when they are damaged."""
    while at < end:
        ref, at = varint_at(data, at, end)
        if at < 0:
            return False
        out.refs[out.tally[_REFS]] = ref & _UINT32
        out.tally[_REFS] += 1
    return True


@inlined
def _metadata(data: NDArray[np.uint8], at: int, end: int, out: ColumnsV2) -> bool:
    """Read the type in a Metadata message; False when it is damaged."""
    while at < end:
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        if key == _TYPE:
            told, at = varint_at(data, at, end)
            told &= _UINT32
            plain = told in (_UNKNOWN, _COUNTER, _HISTOGRAMS, _SUMMARY)
            out.types[out.tally[_SERIES]] = told if plain else _GAUGE
        else:
            at = skip_field(data, at, end, key, 2)
        if at < 0:
            return False
    return True


@inlined
def _known_field(
    data: NDArray[np.uint8],
    key: np.int64,
    value: np.int64,
    at: int,
    end: int,
    out: ColumnsV2,
    first: np.int64,
) -> bool:
    """Read one field of a TimeSeries but its plain samples; False when it is damaged."""
    if key == _PACKED_LABELS:
        return _packed(data, at, end, out)
    if key == _SAMPLE:
        return _sample(data, at, end, out, first)
    if key == _METADATA:
        return _metadata(data, at, end, out)
    if key == _ONE_LABEL:
        out.refs[out.tally[_REFS]] = value & _UINT32
        out.tally[_REFS] += 1
    return True


@inlined
def _finish(out: ColumnsV2, hashes: NDArray[np.uint64], first: np.int64, seed: np.uint64) -> None:
    """Note what stands for the labels of the next row, whose references start at ``first``."""
    row, last = out.tally[_SERIES], out.tally[_REFS]
    flawed = (last - first) % 2 != 0
    a, b = seed ^ _LABELS_SEED, seed + np.uint64(out.types[row])
    for i in range(first, last):
        ref = out.refs[i]
        if ref >= len(hashes):
            flawed = True
            break
        a, b = mixed_in(a, b, hashes[ref, 0], hashes[ref, 1])
    out.hash[row, 0] = np.uint64(1) if flawed else a | np.uint64(1)
    out.hash[row, 1] = np.uint64(0) if flawed else b
    out.flawed[row] = 1 if flawed else 0
    out.ref_counts[row] = last - first


@inlined
def _series(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    out: ColumnsV2,
    hashes: NDArray[np.uint64],
    seed: np.uint64,
) -> bool:
    """Read one TimeSeries message into the next row of ``out``; False when it is damaged."""
    row, first, first_ref = out.tally[_SERIES], out.tally[_SAMPLES], out.tally[_REFS]
    out.types[row], out.start_ms[row] = 0, 0
    start, has_extras, created = at, False, np.int64(0)
    while at < end:
        if plain_sample(data, at, end, out.bits, out.time_ms, out.tally[_SAMPLES]):
            out.tally[_SAMPLES] += 1
            at += PLAIN
            continue
        key, at = key_at(data, at, end)
        if at < 0:
            return False
        value, body = np.int64(0), at
        if key & 7 == VARINT or key & 7 == BYTES:
            value, body = varint_at(data, at, end)
        at = skip_field(data, at, end, key, 1)
        if at < 0 or not _known_field(data, key, value, body, at, out, first):
            return False
        has_extras = has_extras or key in (_HISTOGRAM, _EXEMPLAR)
        if key == _CREATED:  # of a field that comes twice the last one counts
            created = value
    if out.start_ms[row] == 0:
        out.start_ms[row] = created
    if has_extras:
        extra = out.tally[_EXTRAS]
        out.extras[extra, 0], out.extras[extra, 1] = start, end
        out.tally[_EXTRAS] = extra + 1
    _finish(out, hashes, first_ref, seed)
    out.samples[row] = out.tally[_SAMPLES] - first
    out.tally[_SERIES] = row + 1
    return True


@kernel
def _walk_series(
    data: NDArray[np.uint8], out: ColumnsV2, hashes: NDArray[np.uint64], seed: np.uint64
) -> None:
    """Read the series of a Request whose fields are sound; notes where one is damaged."""
    at, end = 0, len(data)
    while at < end:
        field_at = at
        key, at = key_at(data, at, end)
        body = at
        if key & 7 == BYTES:
            _, body = varint_at(data, at, end)
        at = skip_field(data, at, end, key, 0)
        if key == _TIME_SERIES and not _series(data, body, at, out, hashes, seed):
            out.tally[_DAMAGE] = field_at
            return


def walk_symbols(data: NDArray[np.uint8], seed: int) -> Symbols:
    """Find the symbols of a body.

    Raises:
        DecodeError: The bytes are not a Request.
    """
    most = len(data) // 2 + 1
    found = Symbols(np.empty((most, 2), np.int64), np.empty((most, 2), np.uint64))
    tally = np.array([0, -1], dtype=np.int64)
    _walk_symbols(data, *found, tally, np.uint64(seed))
    count, damage = tally.tolist()
    if damage >= 0:
        raise _damaged(damage, len(data))
    return Symbols(places=found.places[:count], hash=found.hash[:count])


def walk_v2(data: NDArray[np.uint8], seed: int) -> tuple[ColumnsV2, Symbols]:
    """Decode a body.

    Raises:
        DecodeError: The bytes are not a Request, or the first symbol is not empty.
    """
    data = data.view()
    data.flags.writeable = False  # one type for the kernel, wherever the bytes come from
    symbols = walk_symbols(data, seed)
    most = len(data) // 2 + 1
    out = ColumnsV2(
        hash=np.empty((most, 2), np.uint64),
        samples=np.empty(most, np.int32),
        types=np.empty(most, np.int8),
        start_ms=np.empty(most, np.int64),
        flawed=np.empty(most, np.int8),
        ref_counts=np.empty(most, np.int32),
        refs=np.empty(len(data), np.int64),
        time_ms=np.empty(most, np.int64),
        bits=np.empty(most, np.uint64),
        extras=np.empty((most, 2), np.int64),
        tally=np.array([0, 0, 0, -1, 0], dtype=np.int64),
    )
    _walk_series(data, out, symbols.hash, np.uint64(seed))
    series, samples, extras, damage, refs = out.tally.tolist()
    if damage >= 0:
        raise _damaged(damage, len(data))
    _check_first(data, symbols)
    cut = {name: getattr(out, name)[:series] for name in _BY_SERIES}
    cut |= {name: getattr(out, name)[:samples] for name in ("time_ms", "bits")}
    cut |= {"refs": out.refs[:refs], "extras": out.extras[:extras]}
    return ColumnsV2(**cut, tally=out.tally), symbols


_BY_SERIES = ("hash", "samples", "types", "start_ms", "flawed", "ref_counts")


def _check_first(data: NDArray[np.uint8], symbols: Symbols) -> None:
    """Raise if the first symbol, which stands for what a series does not say, is not empty."""
    start, end = symbols.places[0].tolist() if len(symbols.places) else (0, 0)
    if start != end:
        first = data[start:end].tobytes().decode(errors="replace")
        raise DecodeError(f"the first symbol must be empty, not {first[:60]!r}")


def _damaged(at: int, size: int) -> DecodeError:
    return DecodeError(f"the write request is damaged at byte {at} of {size}")
