"""A bounded cache that gives up what is asked for least."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST_BYTES = 64 * 1_024 * 1_024


@dataclass(slots=True)
class _Entry:
    body: bytes
    hits: float = field(default=1.0)


class PopularityCache:
    """Keeps what is popular; popularity fades, so that yesterday's hits make room.

    Args:
        capacity: Entries kept at most.
        largest: Bytes kept at most.
        fade_every: Look-ups after which every popularity is halved.

    >>> cache = PopularityCache(capacity=2)
    >>> cache.put("a", b"1"); cache.put("b", b"2"); cache.get("a")
    b'1'
    >>> cache.put("c", b"3"); cache.get("b") is None
    True
    """

    def __init__(
        self, capacity: int, fade_every: int = 1_000, largest: int = LARGEST_BYTES
    ) -> None:
        self.capacity = capacity
        self._largest = largest
        self._bytes = 0
        self._fade_every = fade_every
        self._entries: dict[str, _Entry] = {}
        self._lookups = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, which becomes more popular."""
        self._lookups += 1
        if self._lookups % self._fade_every == 0:
            for kept in self._entries.values():
                kept.hits /= 2
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.hits += 1
        return entry.body

    def put(self, key: str, body: bytes, popularity: float = 1.0) -> None:
        """Keep ``body``; the least popular entries go when there is no room.

        Args:
            key: What it is asked for by.
            body: What to keep; too much for the whole cache is not kept.
            popularity: How often it has been, or will be, asked for.
        """
        self._drop(key)
        while self._entries and self._full(len(body)):
            self._drop(min(self._entries, key=lambda kept: self._entries[kept].hits))
        if not self._full(len(body)):
            self._entries[key] = _Entry(body, max(1.0, popularity))
            self._bytes += len(body)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._bytes = 0

    def _full(self, more: int) -> bool:
        return len(self._entries) >= self.capacity or self._bytes + more > self._largest

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.body)
