"""Which pairs of windows are watched, and at which burn rate they fire.

The multi-window multi-burn-rate table of the SRE Workbook (chapter 5, table 5-8) for 30 days, with
the windows scaled to the objective's own period. A pair fires when both of its windows burn faster
than ``factor = budget share x period / long window``: the long one says that it matters, the short
one that it still goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from anomaly.findings import Urgency

_THIRTY_DAYS_S = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One pair of windows.

    Attributes:
        name: ``page-fast``, ``page-slow``, ``ticket-fast``, ``ticket-slow``.
        urgency: What its firing means.
        long_s: Long window, seconds, a whole number of steps.
        short_s: Short window, seconds, a whole number of steps.
        factor: Burn rate above which both windows must be; exact.
    """

    name: str
    urgency: Urgency
    long_s: float
    short_s: float
    factor: Fraction


_WORKBOOK = (
    ("page-fast", Urgency.PAGE, 3_600, 300, Fraction(2, 100)),
    ("page-slow", Urgency.PAGE, 21_600, 1_800, Fraction(5, 100)),
    ("ticket-fast", Urgency.TICKET, 86_400, 7_200, Fraction(10, 100)),
    ("ticket-slow", Urgency.TICKET, 259_200, 21_600, Fraction(10, 100)),
)


def tiers_for(period_s: int, step_ms: int) -> tuple[Tier, ...]:
    """Return the pairs for a period; windows are whole steps and at least one step long.

    >>> [(t.name, t.long_s, t.short_s, float(t.factor)) for t in tiers_for(12 * 3600, 5_000)][:2]
    [('page-fast', 60.0, 5.0, 14.4), ('page-slow', 360.0, 30.0, 6.0)]
    """
    tiers = []
    for name, urgency, long_s, short_s, share in _WORKBOOK:
        long_ms = _whole_steps(long_s, period_s, step_ms)
        tiers.append(
            Tier(
                name=name,
                urgency=urgency,
                long_s=long_ms / 1_000,
                short_s=_whole_steps(short_s, period_s, step_ms) / 1_000,
                factor=share * period_s * 1_000 / long_ms,
            )
        )
    return tuple(tiers)


def _whole_steps(window_s: int, period_s: int, step_ms: int) -> int:
    scaled_ms = Fraction(window_s * 1_000 * period_s, _THIRTY_DAYS_S)
    return max(1, round(scaled_ms / step_ms)) * step_ms


def unreachable(tiers: Sequence[Tier], target: Fraction) -> tuple[Tier, ...]:
    """Return the tiers that can't fire even when every event is bad: ``factor >= 1 / budget``."""
    return tuple(tier for tier in tiers if tier.factor * (1 - target) >= 1)
