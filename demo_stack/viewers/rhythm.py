"""How demand moves over a day that may last minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from demo_stack.layout import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRhythm:
    """Demand relative to its mean.

    Attributes:
        amplitude: How far evening and night are from the mean; mild, because a day passes in
            minutes and a real day's range would look like one incident after another.
        offset: The region's place in the day, 0 to 1.
        day_s: Length of a day, in seconds.

    >>> DailyRhythm(amplitude=0.5).factor(0.0)
    1.0
    >>> DailyRhythm(amplitude=0.5).factor(DAY_S / 4)
    1.5
    """

    amplitude: float = 0.15
    offset: float = 0.0
    day_s: float = DAY_S

    def factor(self, time_s: float) -> float:
        """Return demand at ``time_s`` seconds after the start, around 1."""
        return 1.0 + self.amplitude * math.sin(2 * math.pi * (time_s / self.day_s + self.offset))
