"""Hours of the clock on the wall: a day has 23 or 25 of them twice a year."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from collectors.model import FloatArray, IntArray

_HOUR_S = 3_600


def offsets_s(times_s: IntArray, zone: str) -> IntArray:
    """Return by how much a zone's clock is ahead of UTC at some times, seconds.

    Args:
        times_s: Shape (times,), epoch seconds; clocks change at whole quarters of an hour.
        zone: IANA name.

    >>> spring = np.array([1_774_745_999, 1_774_746_000])
    >>> offsets_s(spring, "Europe/Berlin").tolist()
    [3600, 7200]
    """
    if zone == "UTC":
        return np.zeros(len(times_s), dtype=np.int64)
    here = ZoneInfo(zone)
    quarters, place = np.unique(times_s // 900, return_inverse=True)
    ahead = [
        datetime.fromtimestamp(quarter * 900, UTC).astimezone(here).utcoffset()
        for quarter in quarters.tolist()
    ]
    known = np.array([0 if one is None else int(one.total_seconds()) for one in ahead])
    return known.astype(np.int64)[place.reshape(-1)]


def local_hours(values: FloatArray, first_s: int, zone: str) -> tuple[FloatArray, int]:
    """Return hourly values by the hours of a zone's clock.

    An hour that the clock leaves out is NaN, one that it shows twice the mean of both.

    Args:
        values: Shape (hours,), NaN for nothing measured.
        first_s: When the first hour began, epoch seconds.
        zone: IANA name.

    Returns:
        The values, and the number of the first hour, counted since 1970 by that clock.
    """
    times_s: IntArray = first_s + np.arange(len(values), dtype=np.int64) * _HOUR_S
    hours = (times_s + offsets_s(times_s, zone)) // _HOUR_S
    first = int(hours.min(initial=int(hours[0]) if len(hours) else 0))
    there = np.isfinite(values)
    size = int(hours.max(initial=first)) - first + 1
    counts = np.bincount(hours[there] - first, minlength=size)
    sums = np.bincount(hours[there] - first, weights=values[there], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: FloatArray = np.where(counts > 0, sums / counts, np.nan)
    return found, first
