"""Inverted index over tags: predicate in, bitmap of series ids out.

Incremental: a series is found as soon as it is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from pyroaring import BitMap

from collectors.model import IndexArray
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Compare,
    Equal,
    HasKey,
    In,
    NoneOf,
    Not,
    Or,
    Query,
    Regex,
)
from collectors.store.series.postings import Holders, Postings, bitmap
from collectors.store.series.tag_rows import TagRows, join_rows
from collectors.store.series.words import Words

_MAX_PENDING = 8_192


class TagIndex:
    """Bitmaps by key and value.

    Args:
        words: The interned strings that key and value numbers refer to.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self.clear()

    def clear(self) -> None:
        """Forget every series."""
        self._values: dict[int, Postings] = {}
        self._keys: dict[int, BitMap] = {}
        self._all = BitMap()
        self._pending: list[tuple[IndexArray, TagRows]] = []
        self._pending_series = 0

    def add(self, ids: IndexArray, tags: TagRows) -> None:
        """Make series findable by their tags.

        They are sorted in when the next question comes, or with many others: the more at once, the
        less each costs.
        """
        self._pending.append((ids, tags))
        self._pending_series += len(ids)
        if self._pending_series >= _MAX_PENDING:
            self._sort_in()

    def remove(self, ids: IndexArray, tags: TagRows) -> None:
        """Forget series."""
        self._sort_in()
        gone = bitmap(ids)
        self._all -= gone
        for key, holders in _by_key(ids, tags):
            self._values[key].remove(holders)
            self._keys[key] -= gone
            if not self._values[key]:
                del self._values[key], self._keys[key]

    def _sort_in(self) -> None:
        pending, self._pending, self._pending_series = self._pending, [], 0
        if not pending:
            return
        ids = np.concatenate([ids for ids, _ in pending])
        tags = join_rows([tags for _, tags in pending])
        self._all |= bitmap(ids)
        for key, holders in _by_key(ids, tags):
            self._keys.setdefault(key, BitMap()).update(bitmap(holders.ids))
            self._values.setdefault(key, Postings()).add(holders)

    def match(self, query: Query) -> BitMap:
        """Return the ids of the series that ``query`` holds for; the caller must not change it."""
        self._sort_in()
        match query:
            case AnyOf():
                return self._all
            case NoneOf():
                return BitMap()
            case And(left, right):
                found = self.match(left)
                return found & self.match(right) if found else found
            case Or(left, right):
                return self.match(left) | self.match(right)
            case Not(inner):
                return self._all - self.match(inner)
            case HasKey(key):
                return self._keys.get(self._words.find(key), BitMap())
            case Equal(key, value):
                return self._union(key, (value,))
            case In(key, values):
                return self._union(key, values)
            case Compare(key) | Regex(key):
                return self._scan(key, query)

    def keys(self) -> list[str]:
        """Return every key in use, sorted."""
        self._sort_in()
        return sorted(self._words.texts[key] for key in self._keys)

    def values(self, key: str) -> list[str]:
        """Return every value of ``key`` in use, sorted."""
        self._sort_in()
        known = self._values.get(self._words.find(key))
        return sorted(self._words.texts[v] for v in known.values().tolist()) if known else []

    def _union(self, key: str, values: Iterable[str]) -> BitMap:
        known = self._values.get(self._words.find(key))
        numbers = np.fromiter(map(self._words.find, values), dtype=np.int32)
        return known.union(numbers) if known else BitMap()

    def _scan(self, key: str, query: Compare | Regex) -> BitMap:
        known = self._values.get(self._words.find(key))
        if not known:
            return BitMap()
        values, texts = known.values(), self._words.texts
        return known.union(values[query.select([texts[v] for v in values.tolist()])])


def _by_key(ids: IndexArray, tags: TagRows) -> Iterator[tuple[int, Holders]]:
    """Yield each key with the series that have each of its values."""
    holders = np.repeat(ids, tags.counts // 2)
    code = tags.pairs[::2].astype(np.int64) << 32 | tags.pairs[1::2]
    order = np.argsort(code, kind="stable")
    code, holders = code[order], holders[order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    keys, starts = code[first] >> 32, np.append(first, len(code))
    bounds = np.append(np.flatnonzero(np.diff(keys, prepend=-1)), len(keys))
    for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        begin, end = starts[a], starts[b]
        values = (code[first[a:b]] & 0xFFFFFFFF).astype(np.int32)
        part = Holders(values=values, starts=starts[a : b + 1] - begin, ids=holders[begin:end])
        yield int(keys[a]), part
