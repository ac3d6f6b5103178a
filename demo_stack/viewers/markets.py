"""Which parts of the world a region serves, so that the audience is what it is everywhere together.

Regions are built equally large. Everybody goes to the nearest one that has room; who is left over
goes further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demo_stack.world.accounts import AUDIENCE
from demo_stack.world.layout import Region

NEAREST = {
    "emea": (Region.EU_WEST_1, Region.US_EAST_1, Region.US_WEST_2),
    "latam": (Region.US_EAST_1, Region.US_WEST_2, Region.EU_WEST_1),
    "apac": (Region.US_WEST_2, Region.EU_WEST_1, Region.US_EAST_1),
    "north-america": (Region.US_EAST_1, Region.US_WEST_2, Region.EU_WEST_1),
}
"""Regions by part of the world, the nearest first; who has the farthest way chooses first."""


def markets_of(
    regions: Sequence[str], audience: Mapping[str, float] = AUDIENCE
) -> dict[str, dict[str, float]]:
    """Return the shares of the parts of the world in each region's viewers, adding up to 1 each.

    Args:
        regions: Names of the regions that run; unknown ones count as the farthest.
        audience: Share of all viewers by part of the world, adding up to 1.

    >>> markets_of(["eu-west-1"])["eu-west-1"] == AUDIENCE
    True
    """
    room = dict.fromkeys(regions, 1.0 / len(regions))
    served: dict[str, dict[str, float]] = {region: {} for region in regions}
    for part, near in NEAREST.items():
        left = audience[part]
        for region in sorted(regions, key=lambda name: _place(name, near)):
            share = min(left, room[region])
            if share > 0.0:
                served[region][part] = share * len(regions)
                room[region] -= share
                left -= share
    return served


def _place(region: str, near: Sequence[str]) -> int:
    return near.index(region) if region in near else len(near)
