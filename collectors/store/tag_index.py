"""Inverted index over tags: predicate in, bitmap of series ids out.

Incremental: a series is found as soon as it is added. Most values of a high-cardinality key belong
to one series, so a posting is a plain id until a second series shares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyroaring import BitMap

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
from collectors.store.series import Words


class TagIndex:
    """Bitmaps by key and value.

    Args:
        words: The interned strings that key and value numbers refer to.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self._values: dict[int, dict[int, BitMap | int]] = {}
        self._keys: dict[int, BitMap] = {}
        self._all = BitMap()

    def add(self, new: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Make series findable by their key and value numbers (alternating)."""
        by_key: dict[int, list[int]] = {}
        added = []
        for series, pairs in new:
            added.append(series)
            for key, value in zip(pairs[::2], pairs[1::2], strict=True):
                if key in by_key:
                    by_key[key].append(series)
                else:
                    by_key[key] = [series]
                    self._values.setdefault(key, {})
                values = self._values[key]
                posting = values.get(value)
                if posting is None:
                    values[value] = series
                elif isinstance(posting, int):
                    values[value] = BitMap((posting, series))
                else:
                    posting.add(series)
        self._all.update(added)
        for key, holders in by_key.items():
            self._keys.setdefault(key, BitMap()).update(holders)

    def remove(self, series: int, pairs: Sequence[int]) -> None:
        """Forget ``series``."""
        self._all.discard(series)
        for i in range(0, len(pairs), 2):
            key, value = pairs[i], pairs[i + 1]
            values = self._values[key]
            self._keys[key].discard(series)
            posting = values[value]
            if isinstance(posting, int):
                del values[value]
            else:
                posting.discard(series)
                if not posting:
                    del values[value]
            if not values:
                del self._values[key], self._keys[key]

    def match(self, query: Query) -> BitMap:
        """Return the ids of the series that ``query`` holds for; the caller must not change it."""
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
        return sorted(self._words.texts[key] for key in self._keys)

    def values(self, key: str) -> list[str]:
        """Return every value of ``key`` in use, sorted."""
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
