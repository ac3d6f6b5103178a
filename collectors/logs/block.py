"""Some thousand lines in columns, with an index of their words; never changed once made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.log_batch import LogBatch, LogOrigin
from collectors.logs.words import Hashes, Tokens, pairs_of, words_of
from collectors.model import IntArray

BLOCK_LINES = 1 << 14
"""A line's place within a block fits in 16 bits."""
_LEVEL = 1
_FRAME_LINES = 1 << 11
_ORIGIN_BYTES = 200

Rows = NDArray[np.uint16]


class _Texts(NamedTuple):
    """Texts of lines, compressed some together; ``ends`` is (lines,) int32 in bytes of all."""

    frames: tuple[bytes, ...]
    ends: NDArray[np.int32]

    @classmethod
    def of(cls, raw: bytes, ends: IntArray) -> _Texts:
        bounds = [0, *ends[_FRAME_LINES - 1 : -1 : _FRAME_LINES].tolist(), len(raw)]
        frames = (
            bytes(cramjam.zstd.compress(raw[first:last], level=_LEVEL))
            for first, last in pairwise(bounds)
        )
        return cls(tuple(frames), ends.astype(np.int32))

    @property
    def size(self) -> int:
        return sum(map(len, self.frames)) + self.ends.nbytes

    def all(self) -> tuple[bytes, IntArray]:
        """Return all texts, one behind the other, and where each ends."""
        return b"".join(map(_unpacked, self.frames)), self.ends.astype(np.int64)

    def chosen(self, rows: IntArray) -> list[str]:
        """Return the texts of lines."""
        ends, starts = self.ends[rows], np.where(rows > 0, self.ends[rows - 1], 0)
        frames = rows // _FRAME_LINES
        heads = np.where(frames > 0, self.ends[frames * _FRAME_LINES - 1], 0)
        found = []
        for frame, first, last in zip(
            frames.tolist(), (starts - heads).tolist(), (ends - heads).tolist(), strict=True
        ):
            raw = _unpacked(self.frames[frame])
            found.append(raw[first:last].decode("utf-8", "replace"))
        return found


@lru_cache(maxsize=128)
def _unpacked(packed: bytes) -> bytes:
    """Return the bytes of a frame; a search looks at many lines of the same few."""
    return bytes(cramjam.zstd.decompress(packed))


class _Index(NamedTuple):
    """Which lines have a word: ``lines[starts[i]:starts[i + 1]]`` are those of ``hashes[i]``."""

    hashes: Hashes
    starts: NDArray[np.int32]
    lines: Rows

    @classmethod
    def of(cls, tokens: Sequence[Tokens]) -> _Index:
        hashes = np.concatenate([token.hashes for token in tokens])
        lines = np.concatenate([token.lines for token in tokens])
        order = np.argsort(hashes, kind="stable")
        hashes, lines = hashes[order], lines[order]
        if not len(hashes):
            return cls(hashes, np.zeros(1, np.int32), lines)
        # A line that says a word twice has it once: within a word lines ascend.
        fresh = np.ones(len(hashes), bool)
        fresh[1:] = (hashes[1:] != hashes[:-1]) | (lines[1:] != lines[:-1])
        hashes, lines = hashes[fresh], lines[fresh]
        first = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1])))
        starts = np.append(first, len(hashes)).astype(np.int32)
        return cls(hashes[first], starts, lines)

    def rows(self, word: np.uint64) -> Rows:
        at = int(np.searchsorted(self.hashes, word))
        if at == len(self.hashes) or self.hashes[at] != word:
            return self.lines[:0]
        return self.lines[self.starts[at] : self.starts[at + 1]]

    @property
    def size(self) -> int:
        return self.hashes.nbytes + self.starts.nbytes + self.lines.nbytes


class Block:
    """Lines in the order of their times.

    Args:
        batches: The lines in the order of their arrival, at most ``BLOCK_LINES``.
        patterns: (lines,) int32, the number of each line's pattern, in the order of arrival.
        first: The arrival number of the first line.

    Attributes:
        time_ns: (lines,) int64, ascending.
        severity: (lines,) uint8.
        origin: (lines,) uint16 positions in ``origins``.
        pattern: (lines,) int32.
        arrival: (lines,) int64, the number under which each line arrived.
        trace: (2, lines) uint64, the halves of the trace's id, 0 for none.
        span: (lines,) uint64, the span's id, 0 for none.
        flags: (lines,) uint8, those of the trace.
    """

    def __init__(
        self, batches: Sequence[LogBatch], patterns: NDArray[np.int32], first: int
    ) -> None:
        time_ns = np.concatenate([batch.time_ns for batch in batches])
        order = np.argsort(time_ns, kind="stable")
        self.first = first
        self.time_ns: IntArray = time_ns[order]
        self._order = order.astype(np.uint16)
        self.severity: NDArray[np.uint8] = np.concatenate([b.severity for b in batches])[order]
        self.flags: NDArray[np.uint8] = np.concatenate([b.flags for b in batches])[order]
        self.pattern: NDArray[np.int32] = patterns[order].astype(np.int32)
        self.origins, codes = _merged(batches)
        self.origin: NDArray[np.uint16] = codes[order].astype(np.uint16)
        at = order.tolist()
        bodies = _ordered([batch.bodies for batch in batches], at)
        packed = _ordered([batch.attributes for batch in batches], at)
        ids = _ordered([batch.trace_ids for batch in batches], at)
        self.trace = np.ascontiguousarray(_ids(ids, 2).T)
        self.span = _ids(_ordered([batch.span_ids for batch in batches], at), 1)[:, 0]
        self._levels, self._level = _coded(_ordered([batch.levels for batch in batches], at))
        raw, ends = _joined(bodies)
        self._bodies = _Texts.of(raw, ends)
        raw_pairs, pair_ends = _joined(packed)
        self._attributes = _Texts.of(raw_pairs, pair_ends)

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.time_ns)

    @cached_property
    def _index(self) -> _Index:
        """The index; made when a word is asked for the first time, or by :meth:`sealed`."""
        raw, ends = self._bodies.all()
        if not raw.isascii():
            starts = [0, *ends[:-1].tolist()]
            texts = [
                raw[a:b].decode("utf-8", "replace")
                for a, b in zip(starts, ends.tolist(), strict=True)
            ]
            raw, ends = _joined([text.lower() for text in texts])
        return _Index.of([words_of(raw, ends), pairs_of(*self._attributes.all())])

    def sealed(self) -> Block:
        """Return the block with its index made and its size known: nothing is left for later."""
        self.__dict__["size"] = self.size
        return self

    @property
    def arrival(self) -> IntArray:
        """(lines,) int64, the number under which each line arrived."""
        return self.first + self._order.astype(np.int64)

    @cached_property
    def size(self) -> int:
        """Bytes that the block takes."""
        columns: tuple[NDArray[Any], ...] = (
            *(self.time_ns, self._order, self.severity, self.pattern, self.origin),
            *(self.trace, self.span, self.flags, self._level),
        )
        texts = self._bodies.size + self._attributes.size + self._index.size
        origins = sum(_ORIGIN_BYTES + len(origin.resource) for origin in self.origins)
        return sum(column.nbytes for column in columns) + texts + origins

    def having(self, word: np.uint64) -> Rows:
        """Return the lines, ascending, that have a word or an attribute, by its hash."""
        return self._index.rows(word)

    def bodies(self, rows: IntArray) -> list[str]:
        """Return the texts of lines."""
        return self._bodies.chosen(rows)

    def attributes(self, rows: IntArray) -> list[str]:
        """Return the packed attributes of lines."""
        return self._attributes.chosen(rows)

    def levels(self, rows: IntArray) -> list[str]:
        """Return what the senders of lines call their severity."""
        return [self._levels[code] for code in self._level[rows].tolist()]

    def ids(self, rows: IntArray) -> list[tuple[str, str]]:
        """Return the ids of trace and span of lines, empty where there is none."""
        return [
            (f"{high:016x}{low:016x}" if high or low else "", f"{span:016x}" if span else "")
            for (high, low), span in zip(
                self.trace[:, rows].T.tolist(), self.span[rows].tolist(), strict=True
            )
        ]


def _ordered(columns: Sequence[Sequence[str]], order: list[int]) -> list[str]:
    flat = [text for column in columns for text in column]
    return [flat[at] for at in order]


def _merged(batches: Sequence[LogBatch]) -> tuple[list[LogOrigin], NDArray[np.int64]]:
    """Return the origins of batches once each, and the code of each line."""
    known: dict[LogOrigin, int] = {}
    codes = []
    for batch in batches:
        places = [known.setdefault(origin, len(known)) for origin in batch.origins]
        codes.append(np.array(places, np.int64)[batch.origin])
    return list(known), np.concatenate(codes)


def _coded(texts: list[str]) -> tuple[list[str], NDArray[np.uint16]]:
    known: dict[str, int] = {}
    codes = [known.setdefault(text, len(known)) for text in texts]
    return list(known), np.array(codes, np.uint16)


def _joined(texts: list[str]) -> tuple[bytes, IntArray]:
    raws = [text.encode("utf-8", "replace") for text in texts]
    return b"".join(raws), np.cumsum(np.fromiter(map(len, raws), np.int64, len(raws)))


def _ids(texts: list[str], halves: int) -> NDArray[np.uint64]:
    empty = "0" * (16 * halves)
    raw = bytes.fromhex("".join([text or empty for text in texts]))
    return np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, halves)
