"""Which series there are: identity, ids and tags, all in columns.

Whoever changes the table holds the store's lock. Readers take a :class:`~.tag_view.TagView` under
it and need no lock from then on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.model import DSTYPE, IndexArray
from collectors.store.series.hash_table import HashTable
from collectors.store.series.kinds import KINDS, RATE
from collectors.store.series.reserve import reserve
from collectors.store.series.tag_rows import TagRows, copy_rows
from collectors.store.series.tag_view import TagView, values_of
from collectors.store.series.words import Words

_START = 1 << 12
_NUL, _ESCAPE = "\x00", "\x01"
_ESCAPED_NUL = "\x01\x02"
_ESCAPES = re.compile("\x01[\x01\x02]")
_UNESCAPED = {"\x01\x01": _ESCAPE, _ESCAPED_NUL: _NUL}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSeries:
    """Series to register; S series.

    Attributes:
        ids: (S,) int32.
        identities: (S, 2) uint64.
        tags: Their tags; every word has a number.
    """

    ids: IndexArray
    identities: NDArray[np.uint64]
    tags: TagRows

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64]) -> NewSeries:
        """Return some of them."""
        return NewSeries(
            ids=self.ids[rows], identities=self.identities[rows], tags=self.tags.take(rows)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSnapshot:
    """Series in columns; S series, W words, P numbers.

    Attributes:
        ids: (S,) int32.
        counts: (S,) int32, how many numbers of ``pairs`` belong to each series.
        pairs: (P,) int32, positions in ``words``, key and value alternating.
        words: The strings, joined by NUL, UTF-8, as (bytes,) uint8; see :func:`join_texts`.
    """

    ids: NDArray[np.int32]
    counts: NDArray[np.int32]
    pairs: NDArray[np.int32]
    words: NDArray[np.uint8]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, columns: dict[str, NDArray[Any]]) -> SeriesSnapshot:
        """Take the columns of a snapshot out of ``columns``."""
        return cls(**{name: columns[name] for name in cls.__slots__})

    def series(self, words: Words, capacity: int) -> NewSeries:
        """Return the series with numbers of ``words``, without ids from ``capacity`` on."""
        texts = split_texts(self.words.tobytes())
        numbers = np.array(words.numbers(texts) if len(self.pairs) else [], dtype=np.int32)
        tags = TagRows(counts=self.counts, pairs=numbers[self.pairs])
        new = NewSeries(ids=self.ids, identities=tags.identities(words), tags=tags)
        # Ids beyond the capacity are left when the limits were lowered since.
        fitting = np.flatnonzero(self.ids < capacity)
        return new if len(fitting) == len(new) else new.take(fitting)


def join_texts(texts: Sequence[str]) -> bytes:
    """Return texts joined by NUL; one that is in a text itself is written as 01 02, 01 as 01 01."""
    joined = _NUL.join(texts)
    if _ESCAPE in joined or joined.count(_NUL) >= max(1, len(texts)):
        escaped = (t.replace(_ESCAPE, _ESCAPE * 2).replace(_NUL, _ESCAPED_NUL) for t in texts)
        joined = _NUL.join(escaped)
    return joined.encode("utf-8", "surrogatepass")


def split_texts(joined: bytes) -> list[str]:
    """Return the texts that :func:`join_texts` joined."""
    texts = joined.decode("utf-8", "surrogatepass").split(_NUL)
    if _ESCAPE.encode() not in joined:
        return texts
    return [_ESCAPES.sub(lambda found: _UNESCAPED[found.group()], text) for text in texts]


def snapshot_of(ids: IndexArray, tags: TagRows, words: Words) -> SeriesSnapshot:
    """Return series with the words that they use, and no others."""
    used, pairs = np.unique(tags.pairs, return_inverse=True)
    texts = words.texts
    joined = join_texts([texts[number] for number in used.tolist()])
    return SeriesSnapshot(
        ids=ids,
        counts=tags.counts,
        pairs=pairs.astype(np.int32),
        words=np.frombuffer(joined, dtype=np.uint8),
    )


class SeriesTable:
    """Series ids, given out densely and reused after expiry.

    Args:
        capacity: Upper bound on ids.
    """

    def __init__(self, capacity: int) -> None:
        self.words = Words((DSTYPE, "name", *KINDS))
        self.capacity = capacity
        self.alive: NDArray[np.uint8] = reserve((capacity,), np.uint8)
        self.incarnation: NDArray[np.int32] = reserve((capacity,), np.int32)
        self.top = 0
        self.generation = 0
        self._held = 0
        self._ids = HashTable(self.incarnation)
        self._identity: NDArray[np.uint64] = reserve((capacity, 2), np.uint64)
        self._start: NDArray[np.int64] = reserve((capacity,), np.int64)
        self._count: NDArray[np.int32] = reserve((capacity,), np.int32)
        self._arena = np.empty(_START, dtype=np.int32)
        self._used = 0
        self._free = np.empty(0, dtype=np.int32)
        # By id: the generation in which it was last given out or dropped.
        self._changed: NDArray[np.int32] = reserve((capacity,), np.int32)
        self._dstype = self.words.number(DSTYPE)
        self._kind_words = [self.words.number(kind.value) for kind in KINDS]

    def __len__(self) -> int:
        return self._held

    def find(self, identities: NDArray[np.uint64]) -> IndexArray:
        """Return the ids of known series, -1 where unknown."""
        return self._ids.find(identities)[0]

    def next_ids(self, count: int) -> IndexArray:
        """Return ids that :meth:`put` may use next, without taking them."""
        reused = self._free[len(self._free) - min(count, len(self._free)) :][::-1]
        fresh = np.arange(self.top, self.top + count - len(reused), dtype=np.int32)
        return np.concatenate((reused, fresh))

    def put(self, new: NewSeries) -> NDArray[np.int8]:
        """Register series; return the codes of their kinds."""
        ids = new.ids
        self._note_change(ids)
        self._take_free(ids)
        self.top = max(self.top, int(ids.max()) + 1)
        self._store_pairs(ids, new.tags)
        self._identity[ids] = new.identities
        self.alive[ids] = 1
        self.incarnation[ids] += 1
        self._ids.insert(new.identities, ids)
        self._held += len(ids)
        return self._codes(self._values(ids, self._dstype))

    def kinds(self, tags: TagRows) -> NDArray[np.int8]:
        """Return the codes of the kinds that tags name, (R,)."""
        found = np.empty(len(tags), dtype=np.int32)
        values_of(tags.pairs, tags.starts(), tags.counts, self._dstype, found)
        return self._codes(found)

    def _codes(self, words: IndexArray) -> NDArray[np.int8]:
        kinds = np.full(len(words), RATE, dtype=np.int8)
        for code, word in enumerate(self._kind_words):
            kinds[words == word] = code
        return kinds

    def drop(self, ids: IndexArray) -> TagRows:
        """Forget series; return their tags."""
        tags = self.tag_rows(ids)
        self._note_change(ids)
        self.alive[ids] = 0
        self.incarnation[ids] += 1
        self._identity[ids] = 0
        self._count[ids] = 0
        self._held -= len(ids)
        self._free = np.concatenate((self._free, ids.astype(np.int32)))
        return tags

    def _note_change(self, ids: NDArray[Any]) -> None:
        # Before anything else is written of them: who reads without a lock looks here last.
        self.generation += 1
        self._changed[ids] = self.generation

    def fingerprints(self, ids: NDArray[Any]) -> NDArray[np.uint64]:
        """Return 64 bits of the identity of each of ``ids``: what history knows them by."""
        identities: NDArray[np.uint64] = self._identity[ids, 0]
        return identities

    def free_gaps(self) -> None:
        """Make ids below the top that nobody holds available again."""
        self._free = np.flatnonzero(self.alive[: self.top] == 0).astype(np.int32)

    def tag_rows(self, ids: NDArray[Any]) -> TagRows:
        """Return the tags of ``ids`` in columns."""
        counts = self._count[ids]
        pairs = np.empty(int(counts.sum()), dtype=np.int32)
        copy_rows(self._arena, self._start[ids], counts, pairs)
        return TagRows(counts=counts, pairs=pairs)

    def tags(self, series: int) -> dict[str, str]:
        """Return the tags of ``series``."""
        texts, start = self.words.texts, int(self._start[series])
        pairs = self._arena[start : start + int(self._count[series])].tolist()
        return {texts[pairs[i]]: texts[pairs[i + 1]] for i in range(0, len(pairs), 2)}

    def live_ids(self) -> IndexArray:
        """Return the ids in use, ascending."""
        return np.flatnonzero(self.alive[: self.top]).astype(np.int32)

    def snapshot(self) -> SeriesSnapshot:
        """Return every series in columns."""
        live = self.live_ids()
        return snapshot_of(live, self.tag_rows(live), self.words)

    def view(self) -> TagView:
        """Return the tags of all series as they are now; needs the store's lock for a moment."""
        return TagView(
            words=self.words.view(),
            arena=self._arena,
            start=self._start,
            count=self._count,
            changed=self._changed,
            generation=self.generation,
        )

    def shed_words(self) -> None:
        """Forget the words of series that are gone; all numbers of words change."""
        live = self.live_ids()
        tags = self.tag_rows(live)
        renamed = self.words.keep_only(np.unique(tags.pairs))
        self._compact(0)
        self._arena[: self._used] = renamed[self._arena[: self._used]]
        self.generation += 1

    def _values(self, ids: NDArray[Any], key: int) -> IndexArray:
        out = np.empty(len(ids), dtype=np.int32)
        values_of(self._arena, self._start[ids], self._count[ids], key, out)
        return out

    def _take_free(self, ids: IndexArray) -> None:
        reused = int((ids < self.top).sum())
        tail = self._free[len(self._free) - reused :][::-1]
        # In a replay ids come in another order; ``free_gaps`` puts that right at its end.
        if reused and np.array_equal(tail, ids[:reused]):
            self._free = self._free[: len(self._free) - reused]

    def _store_pairs(self, ids: IndexArray, tags: TagRows) -> None:
        if self._used + len(tags.pairs) > len(self._arena):
            self._compact(len(tags.pairs))
        self._arena[self._used : self._used + len(tags.pairs)] = tags.pairs
        self._start[ids] = self._used + tags.starts()
        self._count[ids] = tags.counts
        self._used += len(tags.pairs)

    def _compact(self, more: int) -> None:
        """Move the pairs of living series into an array with room for ``more``.

        Where they stood stays as it was for the readers of older views.
        """
        live = self.live_ids()
        tags = self.tag_rows(live)
        size = len(tags.pairs)
        self._arena = np.empty(max(_START, 2 * (size + more)), dtype=np.int32)
        self._arena[:size] = tags.pairs
        self._start = reserve((self.capacity,), np.int64)
        self._start[live] = tags.starts()
        self._used = size
