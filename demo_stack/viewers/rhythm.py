"""How demand moves over days and weeks that may last minutes and hours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from demo_stack.world.layout import DAY_S

DAYS = 7
WEEK = (-0.6, -0.8, -0.6, -0.2, 0.6, 1.0, 0.6)
"""Demand of the days from Monday on, relative to the mean: -1 to 1, 0 on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Demand relative to its mean.

    Attributes:
        amplitude: How far evening and night are from the mean; mild, because a day passes in
            minutes and a real day's range would look like one incident after another.
        weekly: How far the busiest day is from the mean; mild likewise.
        offset: The region's place in the day, 0 to 1.
        day_s: Length of a day, in seconds; 86,400 for a real one.

    >>> Rhythm(amplitude=0.5, weekly=0.0).factor(0.0)
    1.0
    >>> Rhythm(amplitude=0.5, weekly=0.0).factor(DAY_S / 4)
    1.5
    """

    amplitude: float = 0.15
    weekly: float = 0.05
    offset: float = 0.0
    day_s: float = DAY_S

    def factor(self, time_s: float) -> float:
        """Return demand at ``time_s`` seconds after a Monday began, around 1."""
        days = time_s / self.day_s + self.offset
        return 1.0 + self.amplitude * math.sin(2 * math.pi * days) + self.weekly * _weekday(days)


def _weekday(days: float) -> float:
    """Return how busy the day is: what it is at its noon, and in between in between."""
    day, since_noon = divmod(days - 0.5, 1.0)
    today, tomorrow = WEEK[int(day) % DAYS], WEEK[int(day + 1) % DAYS]
    return today + since_noon * (tomorrow - today)
