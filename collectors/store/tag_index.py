"""Inverted index over tags: predicate in, bitmap of series ids out.

Incremental: a series is found as soon as it is added. Most values of a high-cardinality key belong
to one series, so a posting is a plain id until a second series shares it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from pyroaring import BitMap

from collectors.model import IndexArray
from collectors.stacklang.query import (
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
from collectors.store.tag_rows import TagRows, join_rows
from collectors.store.words import Words

_MOST_PENDING = 8_192


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
        self._values: dict[int, dict[int, BitMap | int]] = {}
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
        if self._pending_series >= _MOST_PENDING:
            self._sort_in()

    def remove(self, ids: IndexArray, tags: TagRows) -> None:
        """Forget series."""
        self._sort_in()
        gone = _bitmap(ids)
        self._all -= gone
        for key, value, members in _postings(ids, tags):
            values = self._values[key]
            posting = values[value]
            if isinstance(posting, int):
                del values[value]
            else:
                posting -= _bitmap(members)
                values[value] = posting
                if not posting:
                    del values[value]
        for key in np.unique(tags.pairs[::2]).tolist():
            self._keys[key] -= gone
            if not self._values[key]:
                del self._values[key], self._keys[key]

    def _sort_in(self) -> None:
        pending, self._pending, self._pending_series = self._pending, [], 0
        if not pending:
            return
        ids = np.concatenate([ids for ids, _ in pending])
        tags = join_rows([tags for _, tags in pending])
        self._all |= _bitmap(ids)
        holders, keys = np.repeat(ids, tags.counts // 2), tags.pairs[::2]
        for key in np.unique(keys).tolist():
            self._keys.setdefault(key, BitMap()).update(holders[keys == key].tolist())
            self._values.setdefault(key, {})
        for key, value, members in _postings(ids, tags):
            values = self._values[key]
            posting = values.get(value)
            if posting is None and len(members) == 1:
                values[value] = int(members[0])
            elif posting is None or isinstance(posting, int):
                one = () if posting is None else (posting,)
                values[value] = BitMap([*one, *members.tolist()])
            else:
                posting.update(members.tolist())

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
        return sorted(self._words.texts[v] for v in self._values.get(self._words.find(key), {}))

    def _union(self, key: str, values: Iterable[str]) -> BitMap:
        known = self._values.get(self._words.find(key), {})
        postings = (known.get(self._words.find(value)) for value in values)
        return _join([p for p in postings if p is not None])

    def _scan(self, key: str, query: Compare | Regex) -> BitMap:
        known = self._values.get(self._words.find(key), {})
        texts = self._words.texts
        matches = query.matches_value
        return _join([p for value, p in list(known.items()) if matches(texts[value])])


def _join(postings: list[BitMap | int]) -> BitMap:
    single = BitMap([p for p in postings if isinstance(p, int)])
    maps = [p for p in postings if not isinstance(p, int)]
    return BitMap.union(single, *maps) if maps else single


def _bitmap(ids: IndexArray) -> BitMap:
    return BitMap(array("I", ids.astype(np.uint32).tobytes()))


def _postings(ids: IndexArray, tags: TagRows) -> Iterator[tuple[int, int, IndexArray]]:
    """Yield each key and value with the ids of the series that have it."""
    holders = np.repeat(ids, tags.counts // 2)
    code = tags.pairs[::2].astype(np.int64) << 32 | tags.pairs[1::2]
    order = np.argsort(code, kind="stable")
    code, holders = code[order], holders[order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    last = np.append(first, len(code))[1:]
    for number, a, b in zip(code[first].tolist(), first.tolist(), last.tolist(), strict=True):
        yield number >> 32, number & 0xFFFFFFFF, holders[a:b]
