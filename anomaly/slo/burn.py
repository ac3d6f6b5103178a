"""Reading the windows: how fast the budget burns, and whether that may be said aloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from anomaly.findings import Urgency
from anomaly.slo.objective import Guards, Objective
from anomaly.slo.ring import EventRing
from anomaly.slo.tiers import Tier
from collectors.model import FloatArray, IntArray

MAX_CHANCE = 0.01
# From this share on a window counts as measured in full.
_WHOLE = 0.99
_HALF = 0.5


class Verdict(StrEnum):
    """What one pair of windows says about one group."""

    QUIET = "quiet"
    BURNING = "burning"
    NO_DATA = "no_data"
    BELOW_VOLUME = "below_volume"
    LOW_COVERAGE = "low_coverage"
    UNSURE = "unsure"
    WARMING_UP = "warming_up"

    @property
    def over(self) -> bool:
        """Whether both windows burn too fast, even if a guard keeps it from firing."""
        guarded = (
            Verdict.BELOW_VOLUME,
            Verdict.LOW_COVERAGE,
            Verdict.WARMING_UP,
            Verdict.UNSURE,
        )
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
class WindowPlan:
    """What stays the same from step to step, worked out once.

    Attributes:
        tiers: Pairs of windows.
        steps: Lengths in steps, shape (2 x tiers,): all long windows, then all short ones.
        factors: Burn rates above which each pair fires, shape (tiers,).
        budget: Share of events that may be bad.
        guards: What must be so before it fires.
    """

    tiers: Sequence[Tier]
    steps: IntArray
    factors: FloatArray
    budget: float
    guards: Guards


def plan_windows(objective: Objective, tiers: Sequence[Tier], step_ms: int) -> WindowPlan:
    """Return the plan of an objective at a step."""
    lengths_s = [*(tier.long_s for tier in tiers), *(tier.short_s for tier in tiers)]
    return WindowPlan(
        tiers=tiers,
        steps=np.array([round(s * 1_000 / step_ms) for s in lengths_s], dtype=np.int64),
        factors=np.array([tier.limit for tier in tiers]),
        budget=float(objective.budget),
        guards=objective.guards,
    )


class Windows:
    """All pairs of windows of all groups, read from the ring at once.

    Args:
        ring: Counts up to now.
        plan: The windows.
        seen: Events since the beginning by group, shape (groups,), for the warm-up guard.
    """

    def __init__(self, ring: EventRing, plan: WindowPlan, seen: FloatArray) -> None:
        self._plan = plan
        self._seen = seen
        # Shape (3, groups, 2 x tiers): bad events, all events, measured steps.
        self._sums = ring.windows(plan.steps)
        # Shape (groups, 2 x tiers); NaN without events.
        self._burn = _burn_rates(self._sums, plan)

    def over(self) -> NDArray[np.bool_]:
        """Return which groups burn too fast in any pair, shape (groups,)."""
        return _too_fast(self._burn, self._plan)

    def nearness(self) -> FloatArray:
        """Return how close each group is to firing: 1 at the limit, -1 without data, (groups,)."""
        half = len(self._plan.tiers)
        slower = np.minimum(self._burn[:, :half], self._burn[:, half:]) / self._plan.factors
        nearest: FloatArray = np.where(np.isnan(slower), -1.0, slower).max(axis=1)
        return nearest

    def gone(self) -> NDArray[np.bool_]:
        """Return which groups have no events in the shortest window while others have some."""
        silent = self._sums[1, :, len(self._plan.tiers) :].min(axis=1) <= 0
        return silent if not silent.all() else np.zeros_like(silent)

    def ended(self) -> NDArray[np.bool_]:
        """Return which groups have no events in any window while others have some, (groups,)."""
        empty: NDArray[np.bool_] = self._sums[1].max(axis=1) <= 0
        return self.gone() & empty

    def readings(self, group: int) -> list[Reading]:
        """Return the readings of one group, one a tier."""
        plan, tiers = self._plan, len(self._plan.tiers)
        bad, total, measured = self._sums[:, group].tolist()
        burn, seen = self._burn[group].tolist(), float(self._seen[group])
        found: list[Reading] = []
        for long, short in zip(range(tiers), range(tiers, 2 * tiers), strict=True):
            numbers = {
                "tier": plan.tiers[long],
                "long": burn[long],
                "short": burn[short],
                "long_bad": bad[long],
                "long_total": total[long],
                "short_bad": bad[short],
                "short_total": total[short],
                "long_coverage": measured[long] / int(plan.steps[long]),
            }
            reading = Reading(**numbers, verdict=Verdict.QUIET)
            verdict = verdict_of(reading, plan.guards, seen, plan.budget)
            if verdict is not Verdict.QUIET:
                reading = Reading(**numbers, verdict=verdict)
            found.append(reading)
        return found


def over_ahead(ring: EventRing, plan: WindowPlan, steps: FloatArray) -> NDArray[np.bool_]:
    """Return after which of ``steps`` any group burns too fast in any pair of windows.

    Args:
        ring: Counts before them.
        plan: The windows.
        steps: Shape (3, groups, steps): bad events, all events, measured steps.

    Returns:
        Shape (steps,): what :meth:`Windows.over` would say for any group, were they counted.
    """
    burn = _burn_rates(ring.ahead(steps, plan.steps), plan)
    return np.asarray(_too_fast(burn, plan).any(axis=0), dtype=np.bool_)


def _burn_rates(sums: FloatArray, plan: WindowPlan) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        rates: FloatArray = sums[0] / sums[1] / plan.budget
    return rates


def _too_fast(burn: FloatArray, plan: WindowPlan) -> NDArray[np.bool_]:
    """Return whether any pair is over its factor; the last axis of ``burn`` is 2 x tiers."""
    half = len(plan.tiers)
    both = (burn[..., :half] > plan.factors) & (burn[..., half:] > plan.factors)
    return np.asarray(both.any(axis=-1), dtype=np.bool_)


def verdict_of(reading: Reading, guards: Guards, seen: float, budget: float) -> Verdict:
    """Decide what a reading means; a guard that holds it back is named instead of silence."""
    if reading.short_total <= 0 or math.isnan(reading.long):
        return Verdict.NO_DATA
    factor = float(reading.tier.factor)
    limit = reading.tier.limit
    if not (reading.long > limit and reading.short > limit):
        return Verdict.QUIET
    if seen < guards.min_events:
        return Verdict.WARMING_UP
    if reading.long_coverage < guards.min_coverage:
        return Verdict.LOW_COVERAGE
    if reading.long_bad < guards.min_bad_events:
        return Verdict.BELOW_VOLUME
    if reading.long_coverage < _WHOLE and not _speaks_for_all(reading, factor * budget):
        return Verdict.UNSURE
    return Verdict.BURNING


def _speaks_for_all(reading: Reading, limit: float) -> bool:
    """Return whether what was measured of the long window leaves no doubt about all of it.

    A page can't wait. A ticket is about what lasts, and can: half of its window must be measured.
    """
    if reading.tier.urgency is Urgency.TICKET and reading.long_coverage < _HALF:
        return False
    return is_sure(reading.long_bad, reading.long_total, limit)


def is_sure(bad: float, total: float, limit: float) -> bool:
    """Return whether so many bad events can't be chance if the true share were ``limit``.

    What was measured of a window speaks for all of it if chance would bring so much at most once in
    a hundred times. The bound is Chernoff's (H. Chernoff, "A measure of asymptotic efficiency",
    1952): the probability is at most exp(-n KL(bad / n, limit)).

    >>> is_sure(2, 2, 0.0144), is_sure(1, 1, 0.0144), is_sure(30, 100, 0.0144)
    (True, False, True)
    """
    if limit >= 1 or total <= 0:
        return False
    share = min(1.0, bad / total)
    if share <= limit:
        return False
    spread = share * math.log(share / limit)
    if share < 1:
        spread += (1 - share) * math.log((1 - share) / (1 - limit))
    return total * spread >= -math.log(MAX_CHANCE)


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
