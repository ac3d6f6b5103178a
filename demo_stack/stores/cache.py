"""A cache in two levels, replicated over zones, as EVCache.

The first level is the instance's own memory and forgets quickly. The second is a cache in every
zone: reads ask the one of their own zone and fall back to the others, writes go to all of them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any


class ZoneCache:
    """The cache of one zone: least recently used goes first, everything has its time.

    Args:
        capacity: Entries at most.
        now_s: The present, in seconds.
    """

    def __init__(self, capacity: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._now_s = now_s
        self._entries: OrderedDict[str, tuple[Any, float]] = OrderedDict()
        self.up = True

    def get(self, key: str) -> Any:
        """Return the value of ``key``, ``None`` when there is none or its time is over."""
        if not self.up:
            return None
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= self._now_s():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value for ``ttl_s`` seconds."""
        if not self.up:
            return
        self._entries[key] = (value, self._now_s() + ttl_s)
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


class ReplicatedCache:
    """Second level: a copy in every zone.

    Args:
        zones: Caches by zone.
    """

    def __init__(self, zones: dict[str, ZoneCache]) -> None:
        self._zones = zones
        self.fallbacks = 0

    def get(self, key: str, zone: str) -> Any:
        """Return a value from the own zone, else from another, which refills the own one."""
        order: Sequence[str] = sorted(self._zones, key=lambda name: name != zone)
        for name in order:
            value = self._zones[name].get(key)
            if value is not None:
                self.fallbacks += name != zone
                return value
        return None

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value in every zone."""
        for cache in self._zones.values():
            cache.put(key, value, ttl_s)

    def delete(self, key: str) -> None:
        """Forget a key in every zone."""
        for cache in self._zones.values():
            cache.delete(key)


class TwoLevelCache:
    """What one instance uses: its own memory in front of the replicated cache.

    Args:
        near: First level.
        far: Second level.
        zone: The instance's zone.
        near_ttl_s: How long the first level may be stale, in seconds.
        ttl_s: How long the second keeps values, in seconds.
    """

    def __init__(
        self,
        near: ZoneCache,
        far: ReplicatedCache,
        zone: str,
        *,
        near_ttl_s: float = 5.0,
        ttl_s: float = 300.0,
    ) -> None:
        self._near = near
        self._far = far
        self._zone = zone
        self._near_ttl_s = near_ttl_s
        self._ttl_s = ttl_s

    def get(self, key: str) -> tuple[Any, str]:
        """Return a value and where it was found: ``near``, ``far`` or ``miss``."""
        value = self._near.get(key)
        if value is not None:
            return value, "near"
        value = self._far.get(key, self._zone)
        if value is None:
            return None, "miss"
        self._near.put(key, value, self._near_ttl_s)
        return value, "far"

    def put(self, key: str, value: Any) -> None:
        """Keep a value in both levels."""
        self._near.put(key, value, self._near_ttl_s)
        self._far.put(key, value, self._ttl_s)
