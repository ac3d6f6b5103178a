"""When a forecast reaches a limit, and how many instances it will take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anomaly.forecast.band import Forecast
from collectors.model import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    """When a limit is reached, epoch milliseconds; None for not within what was looked ahead.

    Attributes:
        limit: In the unit of the line.
        reached: Whether the newest value is there already.
        likeliest_ms: When the likeliest course gets there.
        earliest_ms: When the edge of the band that is nearer to it does.
        latest_ms: When the other edge does.
    """

    limit: float
    reached: bool
    likeliest_ms: int | None
    earliest_ms: int | None
    latest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """How many instances it takes at the peak of what was looked ahead, each of a capacity.

    Attributes:
        capacity: Of one instance, in the unit of the line.
        likeliest: For the likeliest course.
        safe: For the upper edge of the band.
        peak_ms: When that peak is, epoch milliseconds.
    """

    capacity: float
    likeliest: int
    safe: int
    peak_ms: int


def exhaustion(found: Forecast, now: float, limit: float, times_ms: IntArray) -> Exhaustion:
    """Return when a line that stands at ``now`` reaches a limit, from whichever side.

    Args:
        found: What may come.
        now: Newest value.
        limit: In the same unit.
        times_ms: Shape (steps,), when each step ends.
    """
    rising = now <= limit
    near, far = (found.high, found.low) if rising else (found.low, found.high)

    def first(edge: FloatArray) -> int | None:
        there = np.flatnonzero(edge >= limit if rising else edge <= limit)
        return int(times_ms[there[0]]) if len(there) else None

    return Exhaustion(
        limit=limit,
        reached=now == limit,
        likeliest_ms=first(found.likeliest),
        earliest_ms=first(near),
        latest_ms=first(far),
    )


def instances(found: Forecast, capacity: float, times_ms: IntArray) -> Instances:
    """Return how many instances it takes at the peak; at least one."""
    return Instances(
        capacity=capacity,
        likeliest=max(1, math.ceil(float(found.likeliest.max()) / capacity)),
        safe=max(1, math.ceil(float(found.high.max()) / capacity)),
        peak_ms=int(times_ms[int(found.high.argmax())]),
    )
