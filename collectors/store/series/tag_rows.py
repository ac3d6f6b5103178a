"""Tag sets in columns, and their identity.

An identity is 128 bits that stand for a tag set whatever its order: the sum of one mixed number for
each pair, made of the digests of its key and value. Atlas uses SHA-1 of the sorted pairs in the
same role; a sum needs no sorting and is computed in columns. The mixer is the finaliser of
MurmurHash3 (Appleby).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.model import IndexArray, Tags
from collectors.store.series.words import Words, digests_of

_MIX_A = np.uint64(0xFF51AFD7ED558CCD)
_MIX_B = np.uint64(0xC4CEB9FE1A85EC53)
_SALT = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRows:
    """Tag sets in columns; R rows, P numbers.

    Attributes:
        counts: (R,) int32, how many numbers of ``pairs`` belong to each row: twice its tags.
        pairs: (P,) int32, numbers of words, keys and values alternating; 0 for an unknown word.
    """

    counts: IndexArray
    pairs: IndexArray

    def __len__(self) -> int:
        return len(self.counts)

    def starts(self) -> NDArray[np.int64]:
        """Return where each row begins in ``pairs``."""
        return np.cumsum(self.counts, dtype=np.int64) - self.counts

    def take(self, rows: NDArray[np.int64]) -> TagRows:
        """Return some rows, in the order asked for."""
        counts = self.counts[rows]
        pairs = np.empty(int(counts.sum()), dtype=np.int32)
        copy_rows(self.pairs, self.starts()[rows], counts, pairs)
        return TagRows(counts=counts, pairs=pairs)

    def texts(self, row: int, words: Words) -> dict[str, str]:
        """Return one tag set as text."""
        start, end = int(self.counts[:row].sum()), int(self.counts[: row + 1].sum())
        texts = [words.texts[number] for number in self.pairs[start:end].tolist()]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def identities(self, words: Words) -> NDArray[np.uint64]:
        """Return the identity of each row, (R, 2)."""
        out = np.zeros((len(self.counts), 2), dtype=np.uint64)
        _identities(words.digests, self.counts, self.pairs, out)
        return out

    def known(self) -> NDArray[np.bool_]:
        """Return which rows have no unknown word."""
        out = np.ones(len(self.counts), dtype=np.bool_)
        _known(self.counts, self.pairs, out)
        return out


@inlined
def _mixed(number: np.uint64) -> np.uint64:
    number ^= number >> _SHIFT
    number *= _MIX_A
    number ^= number >> _SHIFT
    number *= _MIX_B
    return number ^ (number >> _SHIFT)


@inlined
def mixed_pair(key: np.uint64, value: np.uint64) -> np.uint64:
    """Return what a pair adds to the first half of an identity; the digests' first halves."""
    return _mixed(key ^ _mixed(value + _SALT))


@kernel
def _identities(
    digests: NDArray[np.uint64],
    counts: IndexArray,
    pairs: IndexArray,
    out: NDArray[np.uint64],
) -> None:
    at = 0
    for row in range(len(counts)):
        for _ in range(counts[row] // 2):
            key, value = pairs[at], pairs[at + 1]
            at += 2
            out[row, 0] += mixed_pair(digests[key, 0], digests[value, 0])
            out[row, 1] += _mixed(digests[key, 1] + _mixed(digests[value, 1] ^ _SALT))
        out[row, 0] |= np.uint64(1)  # 0 means "nothing" in hash tables


@kernel
def _known(counts: IndexArray, pairs: IndexArray, out: NDArray[np.bool_]) -> None:
    at = 0
    for row in range(len(counts)):
        for _ in range(counts[row]):
            if pairs[at] == 0:
                out[row] = False
            at += 1


@kernel
def copy_rows(
    source: IndexArray, starts: NDArray[np.int64], counts: IndexArray, out: IndexArray
) -> None:
    """Copy ``counts[i]`` numbers from ``starts[i]`` on, one row behind the other.

    A row that would end beyond the source, as one that is just being written may for a reader
    without a lock, is filled up with 0.
    """
    at = 0
    for row in range(len(starts)):
        there = min(counts[row], len(source) - starts[row])
        for i in range(counts[row]):
            out[at] = source[starts[row] + i] if i < there else 0
            at += 1


def _flat(series: Iterable[Tags]) -> list[str]:
    return [text for tags in series for pair in tags.items() for text in pair]


def _rows(series: Sequence[Tags], numbers: list[int]) -> TagRows:
    return TagRows(
        counts=np.array([2 * len(tags) for tags in series], dtype=np.int32),
        pairs=np.array(numbers, dtype=np.int32),
    )


def find_rows(words: Words, series: Sequence[Tags]) -> TagRows:
    """Return tag sets in columns, 0 for words never seen."""
    return _rows(series, words.find_all(_flat(series)))


def intern_rows(words: Words, series: Sequence[Tags]) -> TagRows:
    """Return tag sets in columns, giving new words their numbers."""
    return _rows(series, words.numbers(_flat(series)))


def join_rows(several: Sequence[TagRows]) -> TagRows:
    """Return the rows of several one behind the other."""
    return TagRows(
        counts=np.concatenate([rows.counts for rows in several]),
        pairs=np.concatenate([rows.pairs for rows in several]),
    )


def identity_of(tags: Tags) -> bytes:
    """Return the 16 bytes that stand for one tag set, whatever its order."""
    out = np.zeros((1, 2), dtype=np.uint64)
    pairs = np.arange(2 * len(tags), dtype=np.int32)
    counts = np.array([2 * len(tags)], dtype=np.int32)
    _identities(digests_of(_flat([tags])).astype(np.uint64), counts, pairs, out)
    return out.astype("<u8").tobytes()
