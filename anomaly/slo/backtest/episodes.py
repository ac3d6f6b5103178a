"""When a policy should have fired: as somebody marked it, or where much of the budget went."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from anomaly.slo.backtest.course import Course
from anomaly.slo.backtest.playing import Interval, Promise, intervals

MATTERS = Fraction(2, 100)
"""Share of the budget that an episode must spend to matter, where nobody marked any."""

_GAP_SHARE = Fraction(1, 1_440)


def episodes(course: Course, promise: Promise, matters: Fraction = MATTERS) -> list[Interval]:
    """Return when something was wrong.

    As the course says itself. Otherwise wherever steps in a row burn faster than the budget allows
    and spend at least ``matters`` of it together; what is better in between for less than 1/1440
    of the period, half an hour of a month, does not part them.

    Args:
        course: What happened.
        promise: The objective.
        matters: Share of the period's budget.
    """
    if course.incident is not None:
        return intervals(course.incident)
    burns = course.bad > float(promise.budget) * course.total
    gap = int(_GAP_SHARE * promise.period_s * 1_000 / course.step_ms)
    found: list[Interval] = []
    for first, last in intervals(burns):
        if found and first - found[-1][1] <= gap:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    allowed = budget_events(course, promise)
    least = float(matters) * allowed
    return [(a, b) for a, b in found if allowed and course.bad[a:b].sum() >= least]


def budget_events(course: Course, promise: Promise) -> float:
    """Return how many bad events a whole period allows, at the traffic of what was measured."""
    measured = int(np.count_nonzero(course.measured))
    if not measured:
        return 0.0
    a_step = float(course.total.sum()) / measured
    return a_step * promise.period_s * 1_000 / course.step_ms * float(promise.budget)
