"""The load balancers in front of the gateway: one a zone, each with a capacity that is bought."""

from __future__ import annotations

from dataclasses import dataclass

from demo_stack.layout import ZONES

REQUESTS_PER_START = 4
"""Sign in, browse, select, play."""

HEADROOM = 3.0
"""Capacity of the balancers in use together, over the requests that a region is built for."""

ZONES_IN_USE = ZONES[:2]
"""The third zone is there to fail over to."""


@dataclass(slots=True)
class _ZoneBalancer:
    per_s: float
    tokens: float
    filled_s: float


class FrontDoor:
    """Admits requests up to the capacity of the zones in use.

    A request that finds its zone full is refused: the balancer does not know the other zones. DNS
    spreads requests evenly over the zones in use, so adding a zone helps as much as scaling does.

    Args:
        zones: Zones in use.
        per_s: Requests a second that the balancer of a zone can carry.
    """

    BURST_S = 1.0

    def __init__(self, zones: tuple[str, ...], per_s: float) -> None:
        self._per_s = per_s
        self._next = 0
        self._zones: dict[str, _ZoneBalancer] = {}
        self.use(zones)

    def use(self, zones: tuple[str, ...]) -> None:
        """Spread requests over exactly these zones from now on."""
        self._zones = {
            zone: self._zones.get(zone) or _ZoneBalancer(self._per_s, self._per_s, 0.0)
            for zone in zones
        }

    def scale(self, per_s: float) -> None:
        """Change the capacity of every zone's balancer, in requests a second."""
        self._per_s = per_s
        for balancer in self._zones.values():
            balancer.per_s = per_s

    def admit(self, now_s: float) -> bool:
        """Return whether a request gets through."""
        self._next = (self._next + 1) % len(self._zones)
        balancer = list(self._zones.values())[self._next]
        gained = (now_s - balancer.filled_s) * balancer.per_s
        balancer.tokens = min(balancer.per_s * self.BURST_S, balancer.tokens + gained)
        balancer.filled_s = now_s
        if balancer.tokens < 1.0:
            return False
        balancer.tokens -= 1.0
        return True


def front_door_for(sps: float) -> FrontDoor:
    """Return the door of a region that is built for ``sps`` stream starts a second."""
    per_zone = sps * REQUESTS_PER_START * HEADROOM / len(ZONES_IN_USE)
    return FrontDoor(ZONES_IN_USE, per_zone)
