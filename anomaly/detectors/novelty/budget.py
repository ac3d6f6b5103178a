"""How high a page's score must be for no more false alarms than somebody puts up with.

Without faults, the share of values whose page scores higher falls by a factor of ten or more for
each point. That, and the share at one point, bound what noise of five kinds does (a test has them):
normal, with heavy tails, counted, with a day, and in slow waves, which is the worst. Real series
stay below it.
"""

from __future__ import annotations

import math

WEEK_S = 604_800.0
_AT_ONE = 2.4 / 2_016.0
"""Share of values that score 1.0 or more."""
_LOWEST, _HIGHEST = 0.3, 2.2
"""No page at all is asked for less, or more: what a total loss scores grows with what is known of a
series, and after some six hundred values it scores 2.2."""


def threshold_for(false_alarms_per_week: float, step_s: float) -> float:
    """Return the score at which a series pages without a cause so often, at most.

    With steps of seconds a budget below ten a week would ask for more than a loss can score in the
    first hour. There the highest threshold holds instead, which noise in slow waves passes up to
    seven times a week, and other noise about once.

    Args:
        false_alarms_per_week: What is put up with, of one series.
        step_s: Length of a step, seconds.

    Examples:
        >>> round(threshold_for(1.0, 300.0), 2)
        1.38
        >>> round(threshold_for(1.0, 5.0), 2)
        2.2
    """
    share = false_alarms_per_week * step_s / WEEK_S
    return min(_HIGHEST, max(_LOWEST, 1.0 + math.log10(_AT_ONE / share)))


def rate_at(threshold: float) -> float:
    """Return what share of the values of a series without a fault page at a threshold, at most.

    Examples:
        >>> round(rate_at(threshold_for(1.0, 300.0)) * WEEK_S / 300.0, 2)
        1.0
    """
    return float(_AT_ONE * 10.0 ** (1.0 - threshold))
