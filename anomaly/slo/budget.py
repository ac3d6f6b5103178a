"""The error budget, weighted by events: what was allowed, what is spent, what is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """State of a budget over the measured part of its period.

    Attributes:
        good_ratio: Good events over all events; NaN without events.
        consumed: Share of the budget spent, 1.0 when all is gone; NaN without events.
        remaining: ``1 - consumed``; negative when overspent.
        projected_remaining: The same against a whole period of events at the rate seen so far: what
            is left if nothing more goes wrong. Equal to ``remaining`` at full coverage.
        coverage: Measured share of the period, 0 to 1.
    """

    good_ratio: float
    consumed: float
    remaining: float
    projected_remaining: float
    coverage: float


def budget_of(*, bad: float, total: float, coverage: float, target: Fraction) -> Budget:
    """Return the budget for counts of events.

    Averages of ratios would weigh an idle night like a busy evening; counts do not. Hours without
    measurements add neither bad nor good events.

    >>> b = budget_of(bad=1.0, total=10_000.0, coverage=0.5, target=Fraction("0.999"))
    >>> round(b.consumed, 9), round(b.projected_remaining, 9)
    (0.1, 0.95)
    """
    if total <= 0:
        return Budget(
            good_ratio=math.nan,
            consumed=math.nan,
            remaining=math.nan,
            projected_remaining=math.nan,
            coverage=coverage,
        )
    error = Fraction(bad) / Fraction(total)
    consumed = error / (1 - target)
    return Budget(
        good_ratio=float(1 - error),
        consumed=float(consumed),
        remaining=float(1 - consumed),
        projected_remaining=float(1 - consumed * Fraction(coverage)),
        coverage=coverage,
    )
