"""Reading the windows: how fast the budget burns, and whether that may be said aloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from anomaly.slo.objective import Objective
from anomaly.slo.ring import EventRing
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


class Windows:
    """All pairs of windows of all groups, read from the ring at once.

    Args:
        ring: Counts up to now.
        tiers: Pairs of windows.
        objective: Target and guards.
        seen: Events since the beginning by group, shape (groups,), for the warm-up guard.
        step_ms: Length of a step.
    """

    def __init__(
        self,
        ring: EventRing,
        tiers: Sequence[Tier],
        objective: Objective,
        seen: FloatArray,
        step_ms: int,
    ) -> None:
        self._tiers = tiers
        self._objective = objective
        self._seen = seen
        long = [round(tier.long_s * 1_000 / step_ms) for tier in tiers]
        short = [round(tier.short_s * 1_000 / step_ms) for tier in tiers]
        self._long_steps = long
        # Shape (3, groups, tiers): bad events, all events, measured steps.
        sums = ring.windows(np.array([*long, *short], dtype=np.int64))
        self._long, self._short = sums[:, :, : len(tiers)], sums[:, :, len(tiers) :]
        budget = float(objective.budget)
        self._long_burn = _burn(self._long, budget)
        self._short_burn = _burn(self._short, budget)

    def over(self) -> NDArray[np.bool_]:
        """Return which groups burn too fast in any pair, shape (groups,)."""
        factors = np.array([float(tier.factor) for tier in self._tiers])
        with np.errstate(invalid="ignore"):
            both = (self._long_burn > factors) & (self._short_burn > factors)
        return np.asarray(both.any(axis=1), dtype=np.bool_)

    def readings(self, group: int) -> list[Reading]:
        """Return the readings of one group, one a tier."""
        return [self._reading(group, index) for index in range(len(self._tiers))]

    def _reading(self, group: int, index: int) -> Reading:
        reading = Reading(
            tier=self._tiers[index],
            long=float(self._long_burn[group, index]),
            short=float(self._short_burn[group, index]),
            long_bad=float(self._long[0, group, index]),
            long_total=float(self._long[1, group, index]),
            short_bad=float(self._short[0, group, index]),
            short_total=float(self._short[1, group, index]),
            long_coverage=float(self._long[2, group, index]) / self._long_steps[index],
            verdict=Verdict.QUIET,
        )
        return replace(
            reading, verdict=verdict_of(reading, self._objective, float(self._seen[group]))
        )


def _burn(sums: FloatArray, budget: float) -> FloatArray:
    bad, total = sums[0], sums[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate: FloatArray = np.where(total > 0, bad / total / budget, math.nan)
    return rate


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
