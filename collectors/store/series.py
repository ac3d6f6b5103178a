"""Which series there are: identity, ids, and tags in a compact form."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.model import DSTYPE, Tags
from collectors.store.ingest import KINDS, RATE
from collectors.store.reserve import reserve

_KIND_CODES = {kind.value: code for code, kind in enumerate(KINDS)}


def identity_of(tags: Tags) -> bytes:
    """Return 16 bytes that stand for the tag set, whatever its order.

    Atlas uses SHA-1 of the sorted pairs in the same role.
    """
    text = "\x00".join([part for pair in sorted(tags.items()) for part in pair])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSnapshot:
    """Series in columns; S series, W words, P numbers.

    Attributes:
        ids: (S,) int32.
        identities: (S, 16) uint8.
        counts: (S,) int32, how many numbers of ``pairs`` belong to each series.
        pairs: (P,) int32, word numbers, key and value alternating.
        words: The strings, joined by NUL, UTF-8, as (bytes,) uint8.
    """

    ids: NDArray[np.int32]
    identities: NDArray[np.uint8]
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


class Words:
    """Interned strings; number 0 is reserved for "absent"."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, text: str) -> int:
        """Return the number of ``text``, giving it one when it is new."""
        number = self._numbers.get(text)
        if number is None:
            number = len(self.texts)
            self.texts.append(text)
            self._numbers[text] = number
        return number

    def pairs(self, tags: Tags) -> array[int]:
        """Return key and value numbers of ``tags``, alternating."""
        known, number = self._numbers, self.number
        return array("i", [known.get(t) or number(t) for pair in tags.items() for t in pair])

    def find(self, text: str) -> int:
        """Return the number of ``text``, 0 when it was never seen."""
        return self._numbers.get(text, 0)


class SeriesTable:
    """Series ids, given out densely and reused after expiry.

    Args:
        capacity: Upper bound on ids.
    """

    def __init__(self, capacity: int) -> None:
        self.words = Words()
        self.capacity = capacity
        self.alive: NDArray[np.uint8] = reserve((capacity,), np.uint8)
        self.incarnation: NDArray[np.int32] = reserve((capacity,), np.int32)
        self.top = 0
        self.generation = 0
        self._ids: dict[bytes, int] = {}
        self._pairs: list[array[int] | None] = []
        self._identity: list[bytes] = []
        self._free: list[int] = []
        self._columns: dict[int, NDArray[np.int32]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, identity: bytes) -> int:
        """Return the id of a known series, -1 when unknown."""
        return self._ids.get(identity, -1)

    def next_ids(self, count: int) -> list[int]:
        """Return ids that :meth:`put` may use next, without taking them."""
        reused = self._free[-count:][::-1] if count else []
        fresh = range(self.top, self.top + count - len(reused))
        return [*reused, *fresh]

    def put(self, new: Sequence[tuple[int, bytes, Tags]]) -> list[int]:
        """Register series (id, identity, tags); return the codes of their kinds."""
        free, identities, ids = self._free, self._identity, self._ids
        numbered, pairs_of = self._pairs, self.words.pairs
        numbers = [number for number, _, _ in new]
        for number, identity, tags in new:
            if free and free[-1] == number:
                free.pop()
            while self.top <= number:
                numbered.append(None)
                identities.append(b"")
                self.top += 1
            numbered[number] = pairs_of(tags)
            identities[number] = identity
            ids[identity] = number
        self.alive[numbers] = 1
        self.incarnation[numbers] += 1
        self.generation += 1
        for key, column in self._columns.items():
            column[numbers] = [_value_of(numbered[number] or (), key) for number in numbers]
        return [_KIND_CODES.get(tags.get(DSTYPE, ""), RATE) for _, _, tags in new]

    def drop(self, series: int) -> Sequence[int]:
        """Forget ``series``; return its key and value numbers, alternating."""
        pairs = self._pairs[series]
        if pairs is None:
            return ()
        del self._ids[self._identity[series]]
        self._pairs[series] = None
        self._identity[series] = b""
        self.alive[series] = 0
        self.incarnation[series] += 1
        self._free.append(series)
        self.generation += 1
        for column in self._columns.values():
            column[series] = 0
        return pairs

    def fingerprint(self, series: int) -> int:
        """Return 64 bits of a series' identity: what history knows it by."""
        return int.from_bytes(self._identity[series][:8], "little")

    def fingerprints(self, series: NDArray[Any]) -> NDArray[np.uint64]:
        """Return the fingerprint of each of ``series``."""
        parts = b"".join([self._identity[number][:8] for number in series.tolist()])
        return np.frombuffer(parts, dtype="<u8")

    def free_gaps(self) -> None:
        """Make ids below the top that nobody holds available again."""
        self._free = [i for i, pairs in enumerate(self._pairs) if pairs is None]

    def pairs(self, series: int) -> Sequence[int]:
        """Return key and value numbers of ``series``, alternating."""
        return self._pairs[series] or ()

    def tags(self, series: int) -> dict[str, str]:
        """Return the tags of ``series``."""
        texts = self.words.texts
        pairs = self._pairs[series] or ()
        return {texts[pairs[i]]: texts[pairs[i + 1]] for i in range(0, len(pairs), 2)}

    def live_ids(self) -> Iterable[int]:
        """Return the ids in use."""
        return self._ids.values()

    def snapshot(self) -> SeriesSnapshot:
        """Return every series in columns."""
        live = sorted(self._ids.values())
        pairs = [self._pairs[series] or array("i") for series in live]
        identities = b"".join([self._identity[series] for series in live])
        words = "\x00".join(self.words.texts).encode("utf-8", "surrogatepass")
        return SeriesSnapshot(
            ids=np.array(live, dtype=np.int32),
            identities=np.frombuffer(identities, dtype=np.uint8).reshape(-1, 16),
            counts=np.array([len(numbers) for numbers in pairs], dtype=np.int32),
            pairs=np.frombuffer(b"".join([p.tobytes() for p in pairs]), dtype=np.int32),
            words=np.frombuffer(words, dtype=np.uint8),
        )

    def column(self, key: str) -> NDArray[np.int32]:
        """Return the value number of ``key`` for every id, 0 where the series lacks the key."""
        number = self.words.find(key)
        column = self._columns.get(number)
        if column is None:
            column = reserve((self.capacity,), np.int32)
            if number:
                for series in list(self._ids.values()):
                    column[series] = _value_of(self._pairs[series] or (), number)
                self._columns[number] = column
        return column


def _value_of(pairs: Sequence[int], key: int) -> int:
    for i in range(0, len(pairs), 2):
        if pairs[i] == key:
            return pairs[i + 1]
    return 0
