"""Labels on the wire as tags in columns, remembering every key and value seen.

One kernel finds where keys and values stand, another looks their hashes up. Only texts never seen
before (of most series that is the instance) are decoded and judged in Python. Rows
that need more than that (a key twice, an empty value, too many tags, no name, a text that is
refused) are *odd*: :func:`prometheus_tags` and the tag rules deal with them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.metric_kinds import CUMULATIVE, PLAIN_TYPES, MetricKinds, typed_kind
from collectors.model import DSTYPE, IndexArray, Rejection
from collectors.prometheus_labels import label_flaw, prometheus_tags, tag_key
from collectors.store.series.hash_table import HashTable
from collectors.store.series.tag_rows import TagRows
from collectors.store.series.words import Words
from collectors.store.wire.hashing import hash_range
from collectors.store.wire.label_parts import NOT_UTF8, LabelParts, label_text
from collectors.store.wire.plain_texts import plain_texts
from collectors.tag_rules import TagRules

_REMEMBERED = 4_000_000
_ODD = -1
# 2.0 bodies refer to texts: a large one could be meant by every series.
MAX_ROW_BYTES = 64 << 10
# Ends of names that matter for their kind; 0 stands for any other.
_ENDINGS = {ending: number for number, ending in enumerate(CUMULATIVE, start=1)}


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
    types: NDArray[np.int8],
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
            odd = odd or at - first > 2 * max_tags or key <= 0 or value <= 0
            if odd:
                continue
            for i in range(first, at, 2):
                odd = odd or pairs[i] == key
            pairs[at], pairs[at + 1] = key, value
            at += 2
            if key == name_word and not odd:
                named = True
                for i in range(first, at, 2):
                    odd = odd or pairs[i] == dstype_word
                pairs[at], pairs[at + 1] = dstype_word, kind_of[value, types[row]]
                at += 2
        if odd or not named or at - first > 2 * max_tags:
            counts[row], at = -1, first
        else:
            counts[row] = at - first
    return at


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRows:
    """Rows of labels as tags.

    Attributes:
        clean: (C,) which rows are in ``tags``.
        tags: Their tags.
        odd: The tags of other rows, by row; nobody has judged them yet.
        refused: Why the rest is refused, by row.
    """

    clean: NDArray[np.int64]
    tags: TagRows
    odd: dict[int, dict[str, str]]
    refused: dict[int, Rejection]


class LabelWords:
    """Finds the words of labels. Not safe for many threads.

    Args:
        words: Where new words get their numbers.
        rules: What is a legal key and value.
        seed: For the hashes, drawn when the process starts.
        kinds: What senders said of metrics.
    """

    def __init__(self, words: Words, rules: TagRules, seed: int, kinds: MetricKinds) -> None:
        self._words = words
        self._rules = rules
        self._seed = np.uint64(seed)
        self._kinds = kinds
        self._known = HashTable()
        # For each word the kinds of a metric of that name, by the type that its sender tells.
        self._kind_of = np.zeros((1 << 10, PLAIN_TYPES), dtype=np.int32)
        self._by_ending = np.array(
            [
                [words.number(typed_kind(f"x{ending}", code)) for code in range(PLAIN_TYPES)]
                for ending in ("", *_ENDINGS)
            ],
            dtype=np.int32,
        )
        self._name, self._dstype = words.number("name"), words.number(DSTYPE)

    def forget(self) -> None:
        """Forget the numbers of all texts; call when words were shed."""
        self._known.clear()
        self._kind_of[:] = 0

    def kinds_changed(self, names: Iterable[str]) -> None:
        """Read the kinds of some metrics again."""
        numbers = {name: number for name in names if (number := self._words.find(name))}
        self._note_kinds(list(numbers), np.array(list(numbers.values()), dtype=np.int32))

    def rows(self, parts: LabelParts, types: NDArray[np.int8], *, room: int) -> LabelRows:
        """Return labels as tags.

        Args:
            parts: Where they stand.
            types: (R,) what senders say of each row, one of :class:`MetricType`.
            room: How many new series would be admitted; rows beyond that are odd, so that a
                stranger's refused series leave no words behind.

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
            numbers,
            parts.counts,
            types,
            self._kind_of,
            self._name,
            self._dstype,
            most,
            counts,
            pairs,
        )
        clean = np.flatnonzero(counts >= 0)
        tags = TagRows(counts=counts[clean], pairs=pairs[:end])
        found = LabelRows(clean=clean, tags=tags, odd={}, refused={})
        self._add_odd(found, parts, types, np.flatnonzero(counts < 0).tolist())
        return found

    def _add_odd(
        self, found: LabelRows, parts: LabelParts, types: NDArray[np.int8], rows: list[int]
    ) -> None:
        """Look at rows one by one."""
        sizes = parts.sizes()
        for row in [row for row in rows if sizes[row] > MAX_ROW_BYTES]:
            found.refused[row] = Rejection(
                reason="labelsTooLarge",
                detail=f"the labels of a series have {sizes[row]} bytes, at most {MAX_ROW_BYTES}",
            )
        rows = [row for row in rows if sizes[row] <= MAX_ROW_BYTES]
        for row, labels in zip(rows, parts.labels(rows), strict=True):
            flaw = NOT_UTF8 if labels is None else label_flaw([name for name, _ in labels])
            if labels is not None and flaw is None:
                found.odd[row] = prometheus_tags(labels, int(types[row]), self._kinds)
            elif flaw is not None:
                found.refused[row] = Rejection(reason=flaw[0], detail=flaw[1])

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
        spots = parts.places.reshape(-1, 2)[places]
        values = np.flatnonzero(places % 2 == 1)
        texts, plain = plain_texts(parts.data, spots[values], self._rules.max_value_chars)
        good = values[plain].tolist()
        others = np.ones(len(places), dtype=np.bool_)
        others[good] = False
        for at in np.flatnonzero(others).tolist():
            raw = label_text(parts.data, *spots[at].tolist())
            if raw is None:
                continue
            is_value = places[at] % 2 == 1
            text = raw if is_value else tag_key(raw)
            if self._rules.good_value(text) if is_value else self._rules.good_key(text):
                texts.append(text)
                good.append(at)
        found = np.array(self._words.numbers(texts), dtype=np.int32)
        numbers = np.full(len(places), _ODD, dtype=np.int32)
        numbers[good] = found
        self._note_kinds(texts, found)
        return numbers

    def _note_kinds(self, texts: list[str], numbers: IndexArray) -> None:
        """Note for each word which kinds a metric of that name has."""
        if len(self._words) > len(self._kind_of):
            room = np.zeros((len(self._words), PLAIN_TYPES), dtype=np.int32)
            self._kind_of = np.concatenate((self._kind_of, room))
        endings = [
            _ENDINGS[text[text.rfind("_") :]] if text.endswith(CUMULATIVE) else 0 for text in texts
        ]
        self._kind_of[numbers] = self._by_ending[endings]
        if len(self._kinds):
            for text, number in zip(texts, numbers.tolist(), strict=True):
                told = self._kinds.told(text)
                if told:
                    self._kind_of[number, 0] = self._words.number(told)
