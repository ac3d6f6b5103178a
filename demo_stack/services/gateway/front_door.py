"""The load balancers in front of the gateway: one a zone, each with a capacity that is bought."""

from __future__ import annotations

from demo_stack.chassis.capacity import TokenBucket
from demo_stack.world.layout import ZONES

REQUESTS_PER_START = 4
"""Sign in, browse, select, play."""

HEADROOM = 6.0
"""Capacity of the balancers in use together, over the requests that a region is built for."""

ZONES_IN_USE = ZONES[:2]
"""The third zone is there to fail over to."""


class FrontDoor:
    """Admits requests up to the capacity of the zones in use.

    A request that finds its zone full is refused: the balancer does not know the other zones. DNS
    spreads requests evenly over the zones in use, so adding a zone helps as much as scaling does.

    Args:
        zones: Zones in use.
        per_s: Requests a second that the balancer of a zone can carry.
    """

    def __init__(self, zones: tuple[str, ...], per_s: float) -> None:
        self._built_for = self._per_s = per_s
        self._next = 0
        self._zones: dict[str, TokenBucket] = {}
        self.use(zones)

    def use(self, zones: tuple[str, ...]) -> None:
        """Spread requests over exactly these zones from now on."""
        self._zones = {zone: self._zones.get(zone) or TokenBucket(self._per_s) for zone in zones}

    def scale(self, factor: float) -> None:
        """Set the capacity of every zone to ``factor`` times the one it began with."""
        self._per_s = self._built_for * factor
        for balancer in self._zones.values():
            balancer.per_s = self._per_s

    def admit(self, now_s: float) -> bool:
        """Return whether a request gets through."""
        self._next = (self._next + 1) % len(self._zones)
        return list(self._zones.values())[self._next].admit(now_s)


def front_door_for(sps: float) -> FrontDoor:
    """Return the door of a region that is built for ``sps`` stream starts a second."""
    per_zone = sps * REQUESTS_PER_START * HEADROOM / len(ZONES_IN_USE)
    return FrontDoor(ZONES_IN_USE, per_zone)
