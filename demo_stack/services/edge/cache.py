"""A bounded cache that gives up what is asked for least."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Entry:
    body: bytes
    hits: float = field(default=1.0)


class PopularityCache:
    """Keeps what is popular; popularity fades, so that yesterday's hits make room.

    Args:
        capacity: Entries kept at most.
        fade_every: Look-ups after which every popularity is halved.

    >>> cache = PopularityCache(capacity=2)
    >>> cache.put("a", b"1"); cache.put("b", b"2"); cache.get("a")
    b'1'
    >>> cache.put("c", b"3"); cache.get("b") is None
    True
    """

    def __init__(self, capacity: int, fade_every: int = 1_000) -> None:
        self._capacity = capacity
        self._fade_every = fade_every
        self._entries: dict[str, _Entry] = {}
        self._lookups = 0

    def __len__(self) -> int:
        return len(self._entries)

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

    def put(self, key: str, body: bytes) -> None:
        """Keep ``body``; the least popular entry goes when there is no room."""
        if key not in self._entries and len(self._entries) >= self._capacity:
            del self._entries[min(self._entries, key=lambda kept: self._entries[kept].hits)]
        self._entries[key] = _Entry(body)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
