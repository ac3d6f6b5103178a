"""A remote-write body: decompressed within bounds, then walked into columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, overload

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError, TooLargeError
from collectors.limits import Limits
from collectors.model import FloatArray, IndexArray, IntArray, Rejection
from collectors.remote_bodies import RemoteExtras
from collectors.store.wire.counting import refuse_crowds, refuse_series
from collectors.store.wire.label_parts import DAMAGED, LabelParts, find_label_parts
from collectors.store.wire.label_words import MAX_ROW_BYTES
from collectors.store.wire.metadata import read_metadata
from collectors.store.wire.walker import Columns, walk
from collectors.store.wire.walker_v2 import ColumnsV2, Symbols, walk_v2


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLabels:
    """The labels of some series of a body.

    Attributes:
        rows: (R,) which series.
        parts: Where their labels stand.
        types: (R,) int8, the type that the sender tells, one of ``MetricType``.
        refused: Why others that were asked for have no labels, by series.
    """

    rows: NDArray[np.int64]
    parts: LabelParts
    types: NDArray[np.int8]
    refused: dict[int, Rejection] = field(default_factory=dict)


class SampleColumns(Protocol):
    """Samples of S series that follow one another."""

    @property
    def hash(self) -> NDArray[np.uint64]:
        """What stands for each series' labels, (S, 2)."""
        ...

    @property
    def samples(self) -> IndexArray:
        """How many samples each series has, (S,)."""
        ...

    @property
    def time_ms(self) -> IntArray:
        """Their times, (N,)."""
        ...

    @property
    def value(self) -> FloatArray:
        """Their values, (N,)."""
        ...


class DecodedBody(Protocol):
    """A body of either protocol in columns."""

    @property
    def columns(self) -> SampleColumns:
        """The samples."""
        ...

    @property
    def extras(self) -> RemoteExtras:
        """Native histograms and exemplars, which are left to others."""
        ...

    @property
    def start_ms(self) -> IntArray | None:
        """When each series began to count, 0 where nobody says; None: nobody says at all."""
        ...

    def labels(self, rows: NDArray[np.int64]) -> BodyLabels:
        """Return the labels of some series, or why they have none."""
        ...

    def metadata(self) -> list[tuple[str, int]]:
        """Return names and types of metrics, without those that are damaged."""
        ...


class SymbolBytes(Sequence[bytes]):
    """The symbols of a body, each taken out when it is asked for.

    Args:
        data: The body.
        places: (K, 2) int64, where each starts and ends.
    """

    def __init__(self, data: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
        self._data = data
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...

    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        start, end = self._places[at].tolist()
        # No label is that long: a series could refer to a large text a million times.
        return self._data[start : min(end, start + MAX_ROW_BYTES)].tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBody:
    """A decoded 1.0 body; ``columns.labels`` says where in ``data`` the label bytes stand."""

    data: NDArray[np.uint8]
    columns: Columns

    @property
    def extras(self) -> RemoteExtras:
        """Native histograms and exemplars."""
        return RemoteExtras(series=_messages(self.data, self.columns.extras))

    @property
    def start_ms(self) -> None:
        """1.0 tells no starts."""
        return None

    def labels(self, rows: NDArray[np.int64]) -> BodyLabels:
        """Return the labels of some series; those that are damaged are refused."""
        parts = find_label_parts(self.data, self.columns.labels[rows])
        refusal = Rejection(reason=DAMAGED[0], detail=DAMAGED[1])
        refused = dict.fromkeys(rows[parts.damaged].tolist(), refusal)
        rows = np.delete(rows, parts.damaged)
        types = np.zeros(len(rows), dtype=np.int8)
        return BodyLabels(rows=rows, parts=parts, types=types, refused=refused)

    def metadata(self) -> list[tuple[str, int]]:
        """Return names and types of metrics."""
        count = int(self.columns.tally[4])
        return read_metadata(self.data, count) if count else []


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBodyV2:
    """A decoded 2.0 body."""

    data: NDArray[np.uint8]
    columns: ColumnsV2
    symbols: Symbols

    @property
    def extras(self) -> RemoteExtras:
        """Native histograms and exemplars."""
        return RemoteExtras(
            series=_messages(self.data, self.columns.extras),
            symbols=SymbolBytes(self.data, self.symbols.places),
        )

    @property
    def start_ms(self) -> IntArray | None:
        """When each series began to count."""
        return self.columns.start_ms if self.columns.start_ms.any() else None

    def labels(self, rows: NDArray[np.int64]) -> BodyLabels:
        """Return the labels of some series; those with wrong references are refused."""
        columns = self.columns
        flawed = columns.flawed[rows] == 1
        good = rows[~flawed]
        counts = columns.ref_counts
        chosen = np.zeros(len(counts), dtype=np.bool_)
        chosen[good] = True  # rows ascend, so their references do
        refs = columns.refs[np.repeat(chosen, counts)]
        parts = LabelParts(
            data=self.data,
            places=self.symbols.places[refs].reshape(-1, 4),
            counts=counts[good].astype(np.int64) // 2,
        )
        refused = {row: self._refusal(row) for row in rows[flawed].tolist()}
        return BodyLabels(rows=good, parts=parts, types=columns.types[good], refused=refused)

    def metadata(self) -> list[tuple[str, int]]:
        """2.0 tells types with each series."""
        return []

    def _refusal(self, row: int) -> Rejection:
        count = int(self.columns.ref_counts[row])
        detail = (
            f"{count} label references: they come in pairs and are below {len(self.symbols.places)}"
        )
        return Rejection(reason="badReferences", detail=detail)


def decode_body(
    body: bytes, *, max_bytes: int, seed: int, limits: Limits | None = None
) -> RemoteBody:
    """Decode a snappy-compressed WriteRequest (protocol 1.0).

    Raises:
        TooLargeError: It would take more than ``max_bytes`` after decompression, or is over one of
            the ``limits``; what is in the log is under none.
        DecodeError: It is not snappy, or not a WriteRequest.
    """
    data = decompressed(body, max_bytes)
    if limits is not None:
        refuse_crowds(data, 1, limits)
    columns = walk(data, seed)
    _refuse_many(columns, limits)
    return RemoteBody(data=data, columns=columns)


def decode_body_v2(
    body: bytes, *, max_bytes: int, seed: int, limits: Limits | None = None
) -> RemoteBodyV2:
    """Decode a snappy-compressed Request (protocol 2.0); raises as :func:`decode_body`."""
    data = decompressed(body, max_bytes)
    if limits is not None:
        refuse_crowds(data, 5, limits)
    columns, symbols = walk_v2(data, seed)
    _refuse_many(columns, limits)
    return RemoteBodyV2(data=data, columns=columns, symbols=symbols)


def _refuse_many(columns: SampleColumns, limits: Limits | None) -> None:
    if limits is not None:
        refuse_series(len(columns.samples), limits)


def _messages(data: NDArray[np.uint8], places: NDArray[np.int64]) -> list[bytes]:
    return [data[start:end].tobytes() for start, end in places.tolist()]


def decompressed(body: bytes, max_bytes: int) -> NDArray[np.uint8]:
    """Return what a snappy block is.

    Raises:
        TooLargeError: It would take more than ``max_bytes``.
        DecodeError: It is none.
    """
    size = _announced_size(body)
    if size > max_bytes:
        raise TooLargeError(f"the body has {size} bytes after decompression, at most {max_bytes}")
    try:
        return np.frombuffer(memoryview(cramjam.snappy.decompress_raw(body)), dtype=np.uint8)
    except cramjam.DecompressionError as error:
        raise DecodeError(f"the body is not a snappy block: {error}") from error


def _announced_size(body: bytes) -> int:
    """Read the decompressed size that stands at the start of a snappy block."""
    size = 0
    for i, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return size
    raise DecodeError("the body is not a snappy block: it does not start with its size")
