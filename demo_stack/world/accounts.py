"""The accounts: how many there are, what they are called, where in the world their owners live."""

from __future__ import annotations

from collections.abc import Mapping

from demo_stack.world.layout import Region

ACCOUNTS = 300
"""Viewers of a region; each has one device and comes back with it."""

ALL_ACCOUNTS = ACCOUNTS * len(Region)
"""Viewers of all regions: everybody is at home in one."""

AUDIENCE = {"north-america": 0.35, "emea": 0.30, "latam": 0.20, "apac": 0.15}
"""Share of the audience by part of the world."""


def name_of(number: int) -> str:
    """Return the account of a made-up viewer.

    >>> name_of(7)
    'v0007'
    """
    return f"v{number:04d}"


def audience(subscribers: int, shares: Mapping[str, float] = AUDIENCE) -> dict[str, int]:
    """Return subscribers by part of the world; they add up exactly (largest remainder)."""
    exact = {part: subscribers * share for part, share in shares.items()}
    counts = {part: int(value) for part, value in exact.items()}
    left = subscribers - sum(counts.values())
    for part in sorted(exact, key=lambda one: counts[one] - exact[one])[:left]:
        counts[part] += 1
    return counts
