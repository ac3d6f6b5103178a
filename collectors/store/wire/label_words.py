"""Labels on the wire as tags in columns, remembering every key and value seen.

One kernel finds where keys and values stand, another looks their hashes up. Only texts never seen
before (of most series that is the instance) are decoded, made legal and judged in Python. Rows
that need more than that (a key twice, too many tags, no name, a text that is refused) are *odd*:
:func:`prometheus_tags` and the tag rules deal with them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.errors import DecodeError
from collectors.model import DSTYPE, IndexArray, SeriesKind
from collectors.store.hash_table import HashTable
from collectors.store.kernel import inlined, kernel
from collectors.store.tag_rows import TagRows
from collectors.store.validation import TagRules, legal_text
from collectors.store.wire.hashing import hash_range
from collectors.store.wire.prometheus_labels import CUMULATIVE, prometheus_tags, tag_key
from collectors.store.wire.walker import skip_field, varint_at
from collectors.store.words import Words

_BYTES = 2
_LABEL = 1 << 3 | _BYTES
_REMEMBERED = 4_000_000
_ABSENT = 0
_ODD = -1


@inlined
def _label_part(
    data: NDArray[np.uint8], at: int, end: int, parts: NDArray[np.int64], n: int
) -> bool:
    """Note where the key and value of one Label message stand; False when it is damaged."""
    for i in range(4):
        parts[n, i] = 0
    while at < end:
        key, at = varint_at(data, at, end)
        if at < 0 or key & 7 != _BYTES:
            return False
        length, start = varint_at(data, at, end)
        if start < 0 or length < 0 or length > end - start:
            return False
        at = start + int(length)
        which = (key >> 3) - 1
        if 0 <= which <= 1:
            parts[n, 2 * which], parts[n, 2 * which + 1] = start, at
    return True


@kernel
def _find_parts(
    data: NDArray[np.uint8],
    ranges: NDArray[np.int64],
    parts: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Find the labels in each range; return the first damaged range, -1 when all are sound."""
    n = 0
    for row in range(len(ranges)):
        at, end = ranges[row, 0], ranges[row, 1]
        first = n
        while at < end:
            key, at = varint_at(data, at, end)
            if at < 0:
                return row
            body, after = at, skip_field(data, at, end, key & 7)
            if key & 7 == _BYTES:
                _, body = varint_at(data, at, end)
            if after < 0:
                return row
            if key == _LABEL:
                if not _label_part(data, body, after, parts, n):
                    return row
                n += 1
            at = after
        counts[row] = n - first
    return -1


@kernel
def _hash_parts(
    data: NDArray[np.uint8],
    parts: NDArray[np.int64],
    seed: np.uint64,
    hashes: NDArray[np.uint64],
) -> None:
    """Hash keys into even rows and values into odd ones, with another seed."""
    for n in range(len(parts)):
        hashes[2 * n] = hash_range(data, parts[n, 0], parts[n, 1], seed)
        hashes[2 * n + 1] = hash_range(data, parts[n, 2], parts[n, 3], seed ^ np.uint64(0x5EED))


@kernel
def _make_rows(
    numbers: IndexArray,
    labels: NDArray[np.int64],
    kind_of: IndexArray,
    name_word: int,
    dstype_word: int,
    max_tags: int,
    counts: IndexArray,
    pairs: IndexArray,
) -> int:
    """Make pairs of the words of each row; a count of -1 marks an odd row. Return their end."""
    at, part = 0, 0
    for row in range(len(labels)):
        first, named, odd = at, False, False
        for _ in range(labels[row]):
            key, value = numbers[2 * part], numbers[2 * part + 1]
            part += 1
            odd = odd or at - first > 2 * max_tags
            if value == _ABSENT or odd:
                continue
            odd = odd or key <= 0 or value < 0
            for i in range(first, at, 2):
                odd = odd or pairs[i] == key
            pairs[at], pairs[at + 1] = key, value
            at += 2
            if key == name_word and not odd:
                named = True
                for i in range(first, at, 2):
                    odd = odd or pairs[i] == dstype_word
                pairs[at], pairs[at + 1] = dstype_word, kind_of[value]
                at += 2
        if odd or not named or at - first > 2 * max_tags:
            counts[row], at = -1, first
        else:
            counts[row] = at - first
    return at


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelParts:
    """Where labels stand in a body.

    Attributes:
        data: The decompressed body.
        places: (L, 4) int64, key start, key end, value start, value end.
        counts: (R,) int64, labels of each row.
    """

    data: NDArray[np.uint8]
    places: NDArray[np.int64]
    counts: NDArray[np.int64]

    def tags(self, row: int) -> dict[str, str]:
        """Return the tags of one row as :func:`prometheus_tags` makes them.

        Raises:
            DecodeError: A label is not UTF-8.
        """
        first = int(self.counts[:row].sum())
        places = self.places[first : first + int(self.counts[row])].tolist()
        return prometheus_tags(
            (_text(self.data, start, middle), _text(self.data, value, end))
            for start, middle, value, end in places
        )


def find_label_parts(data: NDArray[np.uint8], ranges: NDArray[np.int64]) -> LabelParts:
    """Return where labels stand; ``ranges`` (R, 2) has the start and end of each row's bytes.

    Raises:
        DecodeError: A label is damaged.
    """
    most = int((ranges[:, 1] - ranges[:, 0]).sum()) // 2 + 1
    places = np.empty((most, 4), dtype=np.int64)
    counts = np.empty(len(ranges), dtype=np.int64)
    damaged = _find_parts(data, ranges, places, counts)
    if damaged >= 0:
        raise DecodeError(f"labels at byte {ranges[damaged, 0]} of the write request are damaged")
    return LabelParts(data=data, places=places[: int(counts.sum())], counts=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRows:
    """Rows of labels as tags.

    Attributes:
        clean: (C,) which rows are in ``tags``.
        tags: Their tags.
        odd: The tags of the other rows, by row.
    """

    clean: NDArray[np.int64]
    tags: TagRows
    odd: dict[int, dict[str, str]]


class LabelWords:
    """Finds the words of labels. Not safe for many threads.

    Args:
        words: Where new words get their numbers.
        rules: What is a legal key and value.
        seed: For the hashes, drawn when the process starts.
    """

    def __init__(self, words: Words, rules: TagRules, seed: int) -> None:
        self._words = words
        self._rules = rules
        self._seed = np.uint64(seed)
        self._known = HashTable()
        self._kind_of = np.zeros(1 << 10, dtype=np.int32)
        self._gauge, self._counter = (
            words.number(kind) for kind in (SeriesKind.GAUGE, SeriesKind.COUNTER)
        )
        self._name, self._dstype = words.number("name"), words.number(DSTYPE)

    def forget(self) -> None:
        """Forget the numbers of all texts; call when words were shed."""
        self._known.clear()
        self._kind_of[:] = 0

    def rows(self, parts: LabelParts, *, room: int) -> LabelRows:
        """Return labels as tags.

        Args:
            parts: Where they stand.
            room: How many new series would be admitted; rows beyond that are odd, so that a
                stranger's refused series leave no words behind.

        Raises:
            DecodeError: A label is not UTF-8.
        """
        rows = len(parts.counts)
        hashes = np.empty((2 * len(parts.places), 2), dtype=np.uint64)
        _hash_parts(parts.data, parts.places, self._seed, hashes)
        numbers, missing = self._known.find(hashes)
        if missing:
            tried = 2 * int(parts.counts[:room].sum())
            numbers[:tried] = self._learn(parts, hashes[:tried], numbers[:tried])
        pairs = np.empty(len(numbers) + 2 * rows, dtype=np.int32)
        counts = np.empty(rows, dtype=np.int32)
        most = self._rules.max_tags
        end = _make_rows(
            numbers, parts.counts, self._kind_of, self._name, self._dstype, most, counts, pairs
        )
        clean = np.flatnonzero(counts >= 0)
        odd = {row: parts.tags(row) for row in np.flatnonzero(counts < 0).tolist()}
        return LabelRows(
            clean=clean, tags=TagRows(counts=counts[clean], pairs=pairs[:end]), odd=odd
        )

    def _learn(
        self, parts: LabelParts, hashes: NDArray[np.uint64], numbers: IndexArray
    ) -> IndexArray:
        """Give numbers to texts not seen before; those that are not legal stay odd."""
        missing = np.flatnonzero(numbers < 0)
        _, first, which = np.unique(hashes[missing, 0], return_index=True, return_inverse=True)
        learned = self._judge(parts, missing[first])
        numbers = numbers.copy()
        numbers[missing] = learned[which]
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        kept = np.flatnonzero(learned >= 0)
        self._known.insert(hashes[missing[first[kept]]], learned[kept])
        return numbers

    def _judge(self, parts: LabelParts, places: NDArray[np.int64]) -> IndexArray:
        """Return the number of each text; the even places are keys, the odd ones values."""
        spots = parts.places.reshape(-1, 2)[places].tolist()
        numbers = np.full(len(places), _ODD, dtype=np.int32)
        texts: list[str] = []
        good: list[int] = []
        for at, ((start, end), is_value) in enumerate(zip(spots, places % 2 == 1, strict=True)):
            if is_value and start == end:
                numbers[at] = _ABSENT  # an empty value means that the label is absent
                continue
            raw = _text(parts.data, start, end)
            text = legal_text(raw) if is_value else tag_key(raw)
            if self._rules.good_value(text) if is_value else self._rules.good_key(text):
                texts.append(text)
                good.append(at)
        found = np.array(self._words.numbers(texts), dtype=np.int32)
        numbers[good] = found
        self._note_kinds(texts, found)
        return numbers

    def _note_kinds(self, texts: list[str], numbers: IndexArray) -> None:
        """Note for each word which kind a metric of that name has."""
        if len(self._words) > len(self._kind_of):
            room = np.zeros(len(self._words), dtype=np.int32)
            self._kind_of = np.concatenate((self._kind_of, room))
        cumulative = [text.endswith(CUMULATIVE) for text in texts]
        self._kind_of[numbers] = np.where(cumulative, self._counter, self._gauge)


def _text(data: NDArray[np.uint8], start: int, end: int) -> str:
    try:
        return data[start:end].tobytes().decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"a label of the write request is not UTF-8: {error}") from error
