"""When the next session begins, and whose it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from demo_stack.viewers.rhythm import Rhythm
from demo_stack.world.accounts import ACCOUNTS, AUDIENCE, audience, name_of
from demo_stack.world.layout import Device, Region

REGULARITY = 4
"""Shape of the gamma distribution between arrivals; 1 would be a Poisson process. The few
sessions here stand for a large audience, whose relative noise is smaller than that of few."""

DEVICE_SHARES = {Device.TV: 0.55, Device.PHONE: 0.2, Device.WEB: 0.15, Device.CONSOLE: 0.1}
LINE_KBPS = {Device.TV: 25_000, Device.PHONE: 6_000, Device.WEB: 15_000, Device.CONSOLE: 25_000}
"""Median throughput of a viewer's line by device."""

LINE_SPREAD = 0.6
"""Sigma of the lognormal that lines are drawn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who begins a session.

    Attributes:
        viewer: Account.
        device: What they watch on.
        region: The region that serves them.
        session: ``session.id``.
        line_kbps: What their line carries, in thousands of bits a second.
        market: Part of the world that they are in.
    """

    viewer: str
    device: Device
    region: str
    session: str
    line_kbps: float = 10_000.0
    market: str = "elsewhere"


class Arrivals:
    """The sessions of one region.

    Args:
        region: Where.
        rate: Sessions a second, on average over a day.
        rhythm: How the rate moves.
        rng: Source of everything random here.
        markets: Shares of the parts of the world in these viewers, adding up to 1.
    """

    def __init__(
        self,
        region: str,
        rate: float,
        rhythm: Rhythm,
        rng: Random,
        markets: Mapping[str, float] | None = None,
    ) -> None:
        self.region = region
        self.demand = 1.0
        self._rate = rate
        self._rhythm = rhythm
        self._first = ACCOUNTS * list(Region).index(Region(region)) if region in set(Region) else 0
        self._rng = rng
        self._devices = rng.choices(list(DEVICE_SHARES), list(DEVICE_SHARES.values()), k=ACCOUNTS)

        self._markets = _spread(markets or AUDIENCE)

    def gap_s(self, time_s: float) -> float:
        """Return the seconds until the next session begins."""
        rate = self._rate * self.demand * self._rhythm.factor(time_s)
        return self._rng.gammavariate(REGULARITY, 1.0 / (REGULARITY * rate))

    def visitor(self) -> Visitor:
        """Return whose session it is."""
        number = self._rng.randrange(ACCOUNTS)
        device = self._devices[number]
        return Visitor(
            viewer=name_of(self._first + number),
            device=device,
            region=self.region,
            market=self._markets[number],
            session=f"{self._rng.getrandbits(64):016x}",
            line_kbps=LINE_KBPS[device] * math.exp(self._rng.gauss(0.0, LINE_SPREAD)),
        )


def _spread(markets: Mapping[str, float]) -> list[str]:
    """Return where each of a region's viewers is."""
    counts = audience(ACCOUNTS, markets)
    return [part for part, count in counts.items() for _ in range(count)]
