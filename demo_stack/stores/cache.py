"""A cache in two levels, replicated over zones, as EVCache.

The first level is the instance's own memory and forgets quickly. The second is a cache in every
zone: reads ask the one of their own zone and fall back to the others, writes go to all of them.
Zones are kept in memcached where that is installed (:mod:`demo_stack.stores.memcached`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class ZoneStore(Protocol):
    """The cache of one zone, embedded or on real nodes. Values are what JSON can hold."""

    system: str
    """``db.system.name``."""

    up: bool
    """Whether it is asked at all."""

    def get(self, key: str) -> Any:
        """Return the value of ``key``; ``None`` when there is none, or the zone is down."""
        ...

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value for ``ttl_s`` seconds."""
        ...

    def delete(self, key: str) -> None:
        """Forget a key."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Let every connection go."""
        ...


class ZoneCache:
    """The embedded cache of one zone: least recently used goes first, everything has its time.

    Args:
        capacity: Entries at most.
        now_s: The present, in seconds.
    """

    system = "embedded"

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

    def close(self) -> None:
        """Nothing is open."""


class ReplicatedCache:
    """Second level: a copy in every zone.

    Args:
        zones: Caches by zone.
    """

    def __init__(self, zones: Mapping[str, ZoneStore]) -> None:
        self._zones = zones
        self.fallbacks = 0

    @property
    def system(self) -> str:
        """What the copies are kept in."""
        return next(iter(self._zones.values())).system

    def get(self, key: str, zone: str, refill_ttl_s: float = 60.0) -> tuple[Any, str]:
        """Return a value and the zone that had it; ``(None, "")`` when none has.

        Args:
            key: What to read.
            zone: The reader's own zone, asked first; it is refilled when another had the value.
            refill_ttl_s: How long the own zone keeps it then, in seconds.
        """
        for name in sorted(self._zones, key=lambda name: name != zone):
            value = self._zones[name].get(key)
            if value is not None:
                if name != zone:
                    self.fallbacks += 1
                    self._zones[zone].put(key, value, refill_ttl_s)
                return value, name
        return None, ""

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
        """Return a value and where it was: ``near``, ``far``, ``fallback`` (far away), ``miss``."""
        value = self.get_near(key)
        return (value, "near") if value is not None else self.get_far(key)

    def get_near(self, key: str) -> Any:
        """Return what the instance's own memory knows."""
        return self._near.get(key)

    def get_far(self, key: str) -> tuple[Any, str]:
        """Return what the replicated cache knows, and remember it near."""
        value, zone = self._far.get(key, self._zone, self._ttl_s)
        if value is None:
            return None, "miss"
        self._near.put(key, value, self._near_ttl_s)
        return value, "far" if zone == self._zone else "fallback"

    def put(self, key: str, value: Any) -> None:
        """Keep a value in both levels."""
        self._near.put(key, value, self._near_ttl_s)
        self._far.put(key, value, self._ttl_s)
