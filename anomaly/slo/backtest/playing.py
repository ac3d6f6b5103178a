"""When a policy would have fired on a course of events. Pure, all steps at once.

A window that reaches back before the data, or over steps without any, is judged by what was
measured of it; a window without events says nothing, and what fires goes on until one has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from anomaly.findings import Urgency
from anomaly.slo.backtest.course import Course
from anomaly.slo.backtest.policies import Policy, PolicyTier
from collectors.model import FloatArray

_THIRTY_DAYS_S = 30 * 86_400

Interval = tuple[int, int]
"""First step and the step after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the course is judged by.

    Attributes:
        budget: Share of events that may be bad.
        period_s: Length of the budget's period.
        min_bad: Bad events that the long window must hold.
    """

    budget: Fraction
    period_s: int
    min_bad: float = 0.0


def firing(course: Course, policy: Policy, promise: Promise, urgency: Urgency) -> list[Interval]:
    """Return when any tier of one urgency fires."""
    on = np.zeros(course.steps, dtype=np.bool_)
    for tier in policy.tiers:
        if tier.urgency is urgency:
            on |= _tier_fires(course, tier, promise)
    return intervals(on)


def intervals(on: NDArray[np.bool_]) -> list[Interval]:
    """Return the runs of true values.

    >>> intervals(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _tier_fires(course: Course, tier: PolicyTier, promise: Promise) -> NDArray[np.bool_]:
    long, short = (_steps(s, promise.period_s, course.step_ms) for s in (tier.long_s, tier.short_s))
    limit = float(tier.burn * promise.budget)
    long_bad, long_total = _window(course.bad, long), _window(course.total, long)
    short_bad, short_total = _window(course.bad, short), _window(course.total, short)
    over = (long_bad > limit * long_total) & (short_bad > limit * short_total)
    over &= long_bad >= promise.min_bad
    held = _held(over, short_total > 0)
    return (
        held
        if not tier.for_s
        else _lasting(held, _steps(tier.for_s, promise.period_s, course.step_ms))
    )


def _steps(window_s: int, period_s: int, step_ms: int) -> int:
    return max(1, round(Fraction(window_s * 1_000 * period_s, _THIRTY_DAYS_S * step_ms)))


def _window(values: FloatArray, steps: int) -> FloatArray:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    found: FloatArray = sums[ends] - sums[np.maximum(ends - steps, 0)]
    return found


def _held(over: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ``over`` where it is known, elsewhere as it last was; false before anything is."""
    newest = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    return np.where(newest >= 0, over[np.maximum(newest, 0)], False)


def _lasting(on: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Return where it has been true for ``steps`` and longer."""
    at = np.arange(len(on))
    since = np.maximum.accumulate(np.where(on, -1, at))
    return on & (at - since > steps)
