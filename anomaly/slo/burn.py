"""Reading the windows: how fast the budget burns, and whether that may be said aloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from anomaly.slo.objective import Objective
from anomaly.slo.ring import EventRing, Sums
from anomaly.slo.tiers import Tier
from collectors.model import FloatArray


class Verdict(StrEnum):
    """What one pair of windows says about one group."""

    QUIET = "quiet"
    BURNING = "burning"
    NO_DATA = "no_data"
    BELOW_VOLUME = "below_volume"
    LOW_COVERAGE = "low_coverage"
    WARMING_UP = "warming_up"

    @property
    def over(self) -> bool:
        """Whether both windows burn too fast, even if a guard keeps it from firing."""
        guarded = (Verdict.BELOW_VOLUME, Verdict.LOW_COVERAGE, Verdict.WARMING_UP)
        return self is Verdict.BURNING or self in guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One pair of windows of one group, now.

    Attributes:
        tier: The pair.
        long: Burn rate over the long window; 1.0 spends the budget exactly by the period's end; NaN
            without events.
        short: The same over the short window.
        long_bad: Bad events in the long window.
        long_total: All events in the long window.
        short_bad: Bad events in the short window.
        short_total: All events in the short window.
        long_coverage: Measured share of the long window.
        verdict: The conclusion.
    """

    tier: Tier
    long: float
    short: float
    long_bad: float
    long_total: float
    short_bad: float
    short_total: float
    long_coverage: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    tier: Tier
    long: Sums
    short: Sums
    long_burn: FloatArray
    short_burn: FloatArray


def read_windows(
    ring: EventRing, tiers: Sequence[Tier], objective: Objective, seen: FloatArray, step_ms: int
) -> list[list[Reading]]:
    """Return for each group its readings, one a tier.

    Args:
        ring: Counts up to now.
        tiers: Pairs of windows.
        objective: Target and guards.
        seen: Events since the beginning by group, shape (groups,), for the warm-up guard.
        step_ms: Length of a step.
    """
    budget = float(objective.budget)
    pairs = []
    for tier in tiers:
        long = ring.window(round(tier.long_s * 1_000 / step_ms))
        short = ring.window(round(tier.short_s * 1_000 / step_ms))
        pairs.append(
            _Pair(
                tier=tier,
                long=long,
                short=short,
                long_burn=_burn(long, budget),
                short_burn=_burn(short, budget),
            )
        )
    return [
        [_read(pair, group, objective, float(seen[group])) for pair in pairs]
        for group in range(ring.groups)
    ]


def _burn(sums: Sums, budget: float) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        rate: FloatArray = np.where(sums.total > 0, sums.bad / sums.total / budget, math.nan)
    return rate


def _read(pair: _Pair, group: int, objective: Objective, seen: float) -> Reading:
    long, short = pair.long, pair.short
    reading = Reading(
        tier=pair.tier,
        long=float(pair.long_burn[group]),
        short=float(pair.short_burn[group]),
        long_bad=float(long.bad[group]),
        long_total=float(long.total[group]),
        short_bad=float(short.bad[group]),
        short_total=float(short.total[group]),
        long_coverage=float(long.measured[group]) / long.steps,
        verdict=Verdict.QUIET,
    )
    return replace(reading, verdict=verdict_of(reading, objective, seen))


def verdict_of(reading: Reading, objective: Objective, seen: float) -> Verdict:
    """Decide what a reading means; a guard that holds it back is named instead of silence."""
    guards = objective.guards
    if reading.short_total <= 0 or math.isnan(reading.long):
        return Verdict.NO_DATA
    factor = float(reading.tier.factor)
    if not (reading.long > factor and reading.short > factor):
        return Verdict.QUIET
    if seen < guards.min_events:
        return Verdict.WARMING_UP
    if reading.long_coverage < guards.min_coverage:
        return Verdict.LOW_COVERAGE
    if reading.long_bad < guards.min_bad_events:
        return Verdict.BELOW_VOLUME
    return Verdict.BURNING


def onset_steps(bad: FloatArray, total: FloatArray, ratio: float) -> int:
    """Return how many of the newest steps belong to the present trouble, at least one.

    Walks back while steps are worse than ``ratio`` or empty, and over one better step between worse
    ones, since a few events a step are noisy.

    Args:
        bad: Bad events by step, oldest first, shape (steps,).
        total: All events by step, same shape.
        ratio: Share of bad events above which a step is part of the trouble.
    """
    worst = 1
    better = 0
    for age in range(1, len(bad) + 1):
        events = total[-age]
        if events > 0 and bad[-age] > ratio * events:
            worst, better = age, 0
        elif events > 0:
            better += 1
            if better > 1:
                break
    return worst
