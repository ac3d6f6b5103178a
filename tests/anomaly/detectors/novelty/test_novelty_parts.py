"""The parts of the novelty detector, each against a slow and simple way to the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors.novelty import ageing, alarming, day, paging, patterns, quiet, row, tails
from anomaly.detectors.novelty.budget import threshold_for
from anomaly.detectors.novelty.row import ROW, RowArray


def fresh() -> RowArray:
    """The row of a series of which nothing is known."""
    return np.zeros((1, ROW), dtype=np.float32)


def learned(values: list[float]) -> RowArray:
    rows = fresh()
    for value in values:
        tails.learn_tail(rows, 0, row.RESIDUAL_TAIL, value)
    return rows


@settings(deadline=None, max_examples=50)
@given(
    values=st.lists(st.floats(1.0, 60.0), min_size=1, max_size=40),
    asked=st.floats(1.0, 60.0),
)
def test_a_tail_is_right_within_the_bin_of_the_value(values: list[float], asked: float) -> None:
    """Ranks would be those of other values, and rarity a matter of chance."""
    rows = learned(values)
    found = 10 ** tails.log_upper(rows, 0, row.RESIDUAL_TAIL, asked)
    half_octave = math.sqrt(2) * 1.001
    least = sum(value > asked * half_octave for value in values)
    most = sum(value >= asked / half_octave for value in values)
    total = len(values) + 1
    assert (least + 1) / total - 1e-5 <= found <= (most + 1) / total + 1e-5


def test_what_was_never_seen_is_as_rare_as_the_past_is_long() -> None:
    """Otherwise novelty would be certain after three values."""
    rows = learned([1.0] * 99)
    assert tails.log_upper(rows, 0, row.RESIDUAL_TAIL, 50.0) == pytest.approx(-2.0)
    assert tails.log_lower(rows, 0, row.RESIDUAL_TAIL, 0.0) == pytest.approx(-2.0)
    assert tails.log_upper(rows, 0, row.RESIDUAL_TAIL, 0.0) == 0.0


def test_a_tail_forgets_and_keeps_its_precision() -> None:
    """After a year the weights would overflow, or what is long past would count for ever."""
    rows = fresh()
    for value, count in ((8.0, 1_000), (1.0, 700_000)):
        for _ in range(count):
            tails.learn_tail(rows, 0, row.RESIDUAL_TAIL, value)
            tails.grow_weight(rows, 0, row.RESIDUAL_TAIL, row.QUIET_TAIL + row.TAIL_SIZE)
    found = 10 ** tails.log_upper(rows, 0, row.RESIDUAL_TAIL, 5.0)
    assert np.isfinite(rows).all()
    assert rows[0, row.WEIGHT] <= 1e6
    assert found == pytest.approx(1 / (30_000 / math.log(2)), rel=0.05)


def test_the_usual_size_is_a_quantile() -> None:
    """Noise would be told as ten times what it is."""
    values = np.abs(np.random.default_rng(1).normal(0, 1, 5_000)).tolist()
    found = tails.size(learned(values), 0, row.RESIDUAL_TAIL, 0.32)
    assert 1.0 <= found <= math.sqrt(2)


def test_the_nearest_pair_is_found_among_all_remembered() -> None:
    """What has been seen would be called new, or what is new known."""
    rng = np.random.default_rng(2)
    rows, seen = fresh(), rng.normal(0, 1, 60)
    for at, value in enumerate(seen):
        rows[0, row.SEEN] = at
        apart = patterns.distance(rows, 0, float(value))
        pairs = list(zip(seen[: max(0, at - 2)], [0.0, *seen[: max(0, at - 3)]], strict=False))
        before = seen[at - 1] if at else 0.0
        wanted = min((math.hypot(value - a, before - b) for a, b in pairs), default=0.0)
        assert apart == pytest.approx(wanted, rel=1e-3, abs=1e-4)
        patterns.learn_pattern(rows, 0, float(value), apart)
        rows[0, row.RESIDUAL] = value


def test_a_full_memory_keeps_the_most_novel() -> None:
    """Common pairs would push out the one that a new value must be compared with."""
    rows = fresh()
    for at in range(3_000):
        value = 40.0 if at == 10 else float(np.sin(at))
        rows[0, row.SEEN] = at
        patterns.learn_pattern(rows, 0, value, patterns.distance(rows, 0, value))
        rows[0, row.RESIDUAL] = value
    assert rows[0, row.FILLED] == row.PAIRS
    assert 40.0 in rows[0, row.NOW : row.NOW + row.PAIRS]


def test_movement_is_the_mean_of_the_last_two_hundred() -> None:
    """A line that stands still would be noticed at once, or never."""
    rng = np.random.default_rng(3)
    rows, moves = fresh(), rng.exponential(1.0, 500)
    for at, moved in enumerate(moves):
        found = quiet.movement(rows, 0, float(moved))
        first = max(0, at // 48 - 4) * 48
        assert found == pytest.approx(moves[first : at + 1].mean(), rel=1e-4)


def test_a_day_is_learned() -> None:
    """Each morning would be news."""
    rows, off = fresh(), []
    for step in range(10 * 288):
        share = step % 288 / 288
        value = 50 + 40 * math.sin(2 * math.pi * share)
        off.append(abs(value - day.usual(rows, 0, share)))
        day.learn_day(rows, 0, share, value - day.usual(rows, 0, share))
    assert max(off[-288:]) < 10.0 < 30.0 < max(off[:288])


def test_an_alarm_holds_back_lower_ones_for_a_while() -> None:
    """One fault would be told twenty times."""
    rows = fresh()
    told = []
    for at, surprise in ((10, 1.0), (20, 0.9), (30, 1.1), (300, 0.9), (600, 0.4), (601, 0.2)):
        rows[0, row.SEEN] = at
        told.append(alarming.is_news(rows, 0, row.ALARM, surprise, alarming.REFRACTORY))
    assert told == [True, False, True, True, True, False]


def test_what_recurs_is_told_less_loudly() -> None:
    """The same batch job would wake somebody every night."""
    rows = fresh()
    loud = []
    for at in range(0, 3_000, 300):
        rows[0, row.SEEN] = at
        loud.append(alarming.habituated(rows, 0, 1.0))
        alarming.follow_episode(rows, 0, 1.0, alarm=True)
        rows[0, row.SEEN] = at + 289
        alarming.follow_episode(rows, 0, 0.0, alarm=False)
    assert loud[0] == 1.0
    assert loud[-1] < 0.8
    assert alarming.habituated(rows, 0, 1.5) == 1.5


def test_a_page_waits_for_what_comes_after() -> None:
    """One odd value would count as much as six."""

    def held(residual: float) -> list[float]:
        rows = fresh()
        alarms = [0.8, *[alarming.NO_ALARM] * 6]
        return [paging.held(rows, 0, alarm, residual, 6.0) for alarm in alarms]

    assert held(-0.3)[:6] == [paging.NO_PAGE] * 6
    assert held(-0.3)[6] == pytest.approx(0.8 + 0.4 * 0.3)
    assert held(-3.0)[6] == pytest.approx(0.8 + 0.4 * 3.0)


def test_growing_old_keeps_all_distances_in_time() -> None:
    """After some years counts would stand still, and nothing would ever be over."""
    rows = fresh()
    rows[0, row.SEEN] = 8_388_607
    rows[0, row.ALARM_AT] = 8_388_600
    rows[0, row.PEAK_AT] = 8_380_000
    ageing.grow_older(rows, 0)
    assert rows[0, row.SEEN] - rows[0, row.ALARM_AT] == 8
    assert rows[0, row.SEEN] - rows[0, row.PEAK_AT] == 8_608
    assert rows[0, row.SEEN] < 5_000_000


@pytest.mark.parametrize(
    ("per_week", "step_s", "more"), [(0.26, 300.0, (2.6, 300.0)), (0.26, 5.0, (0.26, 300.0))]
)
def test_a_budget_that_allows_more_asks_for_less(
    per_week: float, step_s: float, more: tuple[float, float]
) -> None:
    """A user who wants fewer pages would get more."""
    assert threshold_for(per_week, step_s) > threshold_for(*more)
