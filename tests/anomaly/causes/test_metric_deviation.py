"""Who moved, and who moved first, by metrics alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.causes.metric_deviation import metric_deviations, moved_services

NAMES = [("queue", "backlog"), ("web", "latency"), ("mail", "sent")]
BEFORE = np.tile(np.array([10.0, 10.2, 9.8, 10.1]), (3, 10))


def _now(*rows: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(rows)


def test_who_moved_first_comes_first() -> None:
    """The cause moves no later than what it causes, however far that goes."""
    now = _now([10, 30, 30, 30], [10, 10, 90, 90], [10, 10, 10, 10])
    found = metric_deviations(NAMES, BEFORE, now)
    assert [(one.service, one.onset) for one in found] == [("queue", 1), ("web", 2)]
    assert [one.service for one in moved_services(found)] == ["queue", "web"]
    assert sum(one.share for one in moved_services(found)) == pytest.approx(1.0)


def test_who_fell_silent_has_moved() -> None:
    """A service that is gone has no values to deviate."""
    nothing = [float("nan")] * 4
    (one,) = metric_deviations(NAMES, BEFORE, _now(nothing, [10] * 4, [10] * 4))
    assert (one.service, one.onset) == ("queue", 0)
    assert np.isnan(one.level)


@pytest.mark.parametrize(
    "row",
    [[10.4, 10.5, 10.4, 10.5], [40, 10, 10, 10], [float("nan"), 10, 10, 10]],
    ids=["within its noise", "a single step", "a single gap"],
)
def test_a_trifle_moves_nobody(row: list[float]) -> None:
    """Among hundreds of metrics some are always a little off."""
    assert metric_deviations(NAMES[:1], BEFORE[:1], _now(row)) == []


def test_what_was_never_anything_but_nothing_is_off_by_the_most_that_counts() -> None:
    """A breaker that opens for the first time would be endlessly far off, or divide by nothing."""
    (one,) = metric_deviations(NAMES[:1], np.zeros((1, 40)), _now([1e300] * 4))
    assert (one.sigmas, one.usual) == (50.0, 0.0)


def test_what_is_young_is_not_compared() -> None:
    """Nothing is usual of what was measured twice."""
    young = np.full((1, 40), np.nan)
    young[0, -2:] = 10.0
    assert metric_deviations(NAMES[:1], young, _now([90] * 4)) == []
    assert metric_deviations([], np.zeros((0, 40)), np.zeros((0, 4))) == []


@given(st.permutations(range(3)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    """The same night would name another suspect after a restart."""
    now = _now([10, 30, 30, 30], [10, 30, 30, 30], [10, 10, 10, 10])
    shuffled = metric_deviations([NAMES[at] for at in order], BEFORE[order], now[order])
    assert shuffled == metric_deviations(NAMES, BEFORE, now)
