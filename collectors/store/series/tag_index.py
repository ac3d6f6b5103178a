"""Inverted index over tags: predicate in, bitmap of series ids out.

Incremental: a series is found as soon as it is added. Readers and whoever adds are different
threads: the index's own lock is held while something is looked up or sorted in, for milliseconds,
never while values are compared with a pattern. An answer has every series that was there when the
question came; of those that came or went meanwhile it may have any.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import numpy as np
from pyroaring import BitMap

from collectors.budget import look
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
from collectors.store.series.words import WordView

_MAX_PENDING = 8_192
# How many values are compared with a pattern before another query has its turn.
_SCANNED_AT_ONCE = 2_048


class TagIndex:
    """Bitmaps by key and value.

    Args:
        words: The interned strings that key and value numbers refer to.
    """

    def __init__(self, words: WordView) -> None:
        self._words = words
        self._lock = threading.Lock()
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
        with self._lock:
            self._pending.append((ids, tags))
            self._pending_series += len(ids)
            if self._pending_series >= _MAX_PENDING:
                self._sort_in()

    def remove(self, ids: IndexArray, tags: TagRows) -> None:
        """Forget series."""
        with self._lock:
            self._sort_in()
            gone = bitmap(ids)
            self._all -= gone
            for key, holders in _by_key(ids, tags):
                self._values[key].remove(holders)
                self._keys[key] -= gone
                if not self._values[key]:
                    del self._values[key], self._keys[key]

    def _sort_in(self) -> None:
        """Index what was added; lock held."""
        pending, self._pending, self._pending_series = self._pending, [], 0
        if not pending:
            return
        ids = np.concatenate([ids for ids, _ in pending])
        tags = join_rows([tags for _, tags in pending])
        self._all |= bitmap(ids)
        for key, holders in _by_key(ids, tags):
            self._keys.setdefault(key, BitMap()).update(bitmap(holders.ids))
            self._values.setdefault(key, Postings()).add(holders)

    def everything(self) -> BitMap:
        """Return the ids of all series that were added and not removed."""
        with self._lock:
            self._sort_in()
            return self._all.copy()

    def match(self, query: Query) -> BitMap:
        """Return the ids of the series that ``query`` holds for.

        Raises:
            TooCostlyError: The query's budget is spent; CancelledError: it was cancelled.
        """
        look()
        match query:
            case AnyOf():
                return self.everything()
            case NoneOf():
                return BitMap()
            case And(left, right):
                found = self.match(left)
                return found & self.match(right) if found else found
            case Or(left, right):
                return self.match(left) | self.match(right)
            case Not(inner):
                # First all: what comes meanwhile is in neither.
                return self.everything() - self.match(inner)
            case HasKey(key):
                with self._lock:
                    self._sort_in()
                    return self._keys.get(self._words.find(key), BitMap()).copy()
            case Equal(key, value):
                return self._union(key, map(self._words.find, (value,)))
            case In(key, values):
                return self._union(key, map(self._words.find, values))
            case Compare(key) | Regex(key):
                return self._union(key, self._scan(key, query))

    def keys(self) -> list[str]:
        """Return every key in use, sorted."""
        with self._lock:
            self._sort_in()
            used = list(self._keys)
        return sorted(self._words.texts[key] for key in used)

    def values(self, key: str) -> IndexArray:
        """Return the number of every value of ``key`` in use, in no order."""
        with self._lock:
            self._sort_in()
            known = self._values.get(self._words.find(key))
            return known.values() if known else np.empty(0, dtype=np.int32)

    def _union(self, key: str, values: Iterable[int]) -> BitMap:
        """Return the series that have one of ``values``, which are numbers of words."""
        numbers = np.unique(np.fromiter(values, dtype=np.int32))
        found = BitMap()
        for begin in range(0, len(numbers), _SCANNED_AT_ONCE):
            look()
            with self._lock:
                self._sort_in()
                known = self._values.get(self._words.find(key))
                if known:
                    found |= known.union(numbers[begin : begin + _SCANNED_AT_ONCE])
        return found

    def _scan(self, key: str, query: Compare | Regex) -> Iterator[int]:
        """Yield the values of ``key`` that ``query`` holds for."""
        values, texts = self.values(key), self._words.texts
        for begin in range(0, len(values), _SCANNED_AT_ONCE):
            look()
            part = values[begin : begin + _SCANNED_AT_ONCE]
            yield from part[query.select([texts[v] for v in part.tolist()])].tolist()


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
