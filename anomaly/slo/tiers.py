"""Which pairs of windows are watched, and at which burn rate they fire.

The multi-window multi-burn-rate table of the SRE Workbook (chapter 5, table 5-8) for 30 days, with
the windows scaled to the objective's own period. A pair fires when both of its windows burn faster
than ``factor = budget share x period / long window``: the long one says that it matters, the short
one that it still goes on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from anomaly.findings import Urgency
from anomaly.slo.objective import Objective
from anomaly.slo.policy import Policy

_THIRTY_DAYS_S = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One pair of windows.

    Attributes:
        name: ``page-fast``, ``page-slow``, ``ticket-fast``, ``ticket-slow``; where nobody is woken
            ``ticket-1`` to ``ticket-4``; where policies decide the name of one.
        urgency: What its firing means.
        long_s: Long window, seconds, a whole number of steps.
        short_s: Short window, seconds, a whole number of steps.
        factor: Burn rate above which both windows must be; exact.
        inclusive: Whether the factor itself is above.
        after_s: For so long both must be before it fires, seconds.
    """

    name: str
    urgency: Urgency
    long_s: float
    short_s: float
    factor: Fraction
    inclusive: bool = False
    after_s: float = 0.0

    @property
    def limit(self) -> float:
        """The greatest burn rate that is not above the factor."""
        factor = float(self.factor)
        return math.nextafter(factor, 0.0) if self.inclusive else factor


_WORKBOOK = (
    ("page-fast", Urgency.PAGE, 3_600, 300, Fraction(2, 100)),
    ("page-slow", Urgency.PAGE, 21_600, 1_800, Fraction(5, 100)),
    ("ticket-fast", Urgency.TICKET, 86_400, 7_200, Fraction(10, 100)),
    ("ticket-slow", Urgency.TICKET, 259_200, 21_600, Fraction(10, 100)),
)


def tiers_of(objective: Objective, step_ms: int) -> tuple[Tier, ...]:
    """Return the pairs that an objective is watched by; all are tickets if it wakes nobody."""
    slice_s = 0 if objective.slices is None else objective.slices.length_s
    if objective.policies:
        found = (_of_policy(policy, step_ms, slice_s) for policy in objective.policies)
        if objective.wakes:
            return tuple(found)
        return tuple(replace(tier, urgency=Urgency.TICKET) for tier in found)
    tiers = tiers_for(objective.period_s, step_ms, slice_s)
    if objective.wakes:
        return tiers
    return tuple(
        replace(tier, name=f"ticket-{place}", urgency=Urgency.TICKET)
        for place, tier in enumerate(tiers, start=1)
    )


def _of_policy(policy: Policy, step_ms: int, slice_s: int) -> Tier:
    """Return a policy as a pair of windows that are the same."""
    unit_ms = max(1, -(-slice_s * 1_000 // step_ms)) * step_ms
    length_s = max(1, round(Fraction(policy.lookback_s * 1_000, unit_ms))) * unit_ms / 1_000
    return Tier(
        name=policy.name,
        urgency=policy.urgency,
        long_s=length_s,
        short_s=length_s,
        factor=policy.threshold,
        inclusive=policy.inclusive,
        after_s=float(policy.after_s),
    )


def tiers_for(period_s: int, step_ms: int, slice_s: int = 0) -> tuple[Tier, ...]:
    """Return the pairs for a period; windows are whole steps and at least one step long.

    Args:
        period_s: Length of the budget's period, seconds.
        step_ms: Length of a step.
        slice_s: Length of a slice of time, seconds, where these are counted: windows are whole
            slices then; 0 where events are.

    >>> [(t.name, t.long_s, t.short_s, float(t.factor)) for t in tiers_for(12 * 3600, 5_000)][:2]
    [('page-fast', 60.0, 5.0, 14.4), ('page-slow', 360.0, 30.0, 6.0)]
    """
    tiers = []
    unit_ms = max(1, -(-slice_s * 1_000 // step_ms)) * step_ms
    for name, urgency, long_s, short_s, share in _WORKBOOK:
        long_ms = _whole_units(long_s, period_s, unit_ms)
        tiers.append(
            Tier(
                name=name,
                urgency=urgency,
                long_s=long_ms / 1_000,
                short_s=_whole_units(short_s, period_s, unit_ms) / 1_000,
                factor=share * period_s * 1_000 / long_ms,
            )
        )
    return tuple(tiers)


def _whole_units(window_s: int, period_s: int, unit_ms: int) -> int:
    scaled_ms = Fraction(window_s * 1_000 * period_s, _THIRTY_DAYS_S)
    return max(1, round(scaled_ms / unit_ms)) * unit_ms


def unreachable(tiers: Sequence[Tier], target: Fraction) -> tuple[Tier, ...]:
    """Return the tiers that can't fire even when every event is bad: ``factor >= 1 / budget``."""
    return tuple(tier for tier in tiers if tier.factor * (1 - target) >= 1)
