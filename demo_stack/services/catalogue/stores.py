"""What the instances of the catalogue share in a region: a cache in every zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from demo_stack.stores.cache import ZoneCache, ZoneStore
from demo_stack.world.layout import ZONES

CACHE_ENTRIES = 10_000


def zone_caches(nodes: Mapping[str, Sequence[str]] | None = None) -> dict[str, ZoneStore]:
    """Return a cache for every zone: on these memcached nodes, embedded where there are none."""
    if not nodes:
        return {zone: ZoneCache(CACHE_ENTRIES) for zone in ZONES}
    from demo_stack.stores.memcached import MemcachedZone

    return {zone: MemcachedZone(addresses) for zone, addresses in nodes.items()}


@dataclass(slots=True, kw_only=True)
class CatalogueStores:
    """Outlives every instance.

    Attributes:
        zone_caches: Second level of the instances' caches, one in every zone.
    """

    zone_caches: dict[str, ZoneStore] = field(default_factory=zone_caches)
