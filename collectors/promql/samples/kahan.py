"""Sums that keep what rounding takes away (Neumaier's variant of Kahan's).

A. Neumaier: Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, 1974.
"""

from __future__ import annotations

import math

from collectors.kernel import inlined


@inlined
def lost(total: float, added: float, lost_before: float) -> float:
    """Return what is lost so far once ``added`` has been added to ``total``."""
    new = total + added
    if math.isinf(new):
        return 0.0
    if abs(total) >= abs(added):
        return lost_before + ((total - new) + added)
    return lost_before + ((added - new) + total)


@inlined
def whole(total: float, lost_all: float) -> float:
    """Return a sum with what it lost."""
    if math.isinf(total):
        return total
    return total + lost_all
