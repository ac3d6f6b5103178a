"""The novelty detector as documents use it: calibrated, causal, whole, and able to say why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from anomaly.detectors.alarm import FURTHEST
from anomaly.detectors.detector import Direction, Phase, Scores
from anomaly.detectors.novelty.detector import NoveltyDetector, NoveltyParameters
from collectors.model import FloatArray

STEP_S = 300.0
WEEK = 2_016
"""Steps of five minutes."""
SERIES = 60

Noise = Callable[[np.random.Generator], NDArray[np.float64]]


def shape() -> tuple[int, int]:
    return 3 * WEEK, SERIES


def wave() -> NDArray[np.float64]:
    """A day after another, as a column."""
    return 100 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(3 * WEEK) / 288))[:, np.newaxis]


HEALTHY: dict[str, Noise] = {
    "normal": lambda rng: rng.normal(100, 3, shape()),
    "heavy tails": lambda rng: 100 + rng.standard_t(3, shape()),
    "counts": lambda rng: rng.poisson(5, shape()).astype(np.float64),
    "a day": lambda rng: wave() * (1 + rng.normal(0, 0.05, shape())),
    "slow waves": lambda rng: (
        100 + np.apply_along_axis(np.convolve, 0, rng.normal(0, 1, shape()), np.ones(9), "same")
    ),
}


def made(**settings: float) -> NoveltyDetector:
    return NoveltyDetector(NoveltyParameters(step_s=STEP_S, **settings))  # type: ignore[arg-type]


def judged(values: FloatArray, detector: NoveltyDetector | None = None) -> Scores:
    return (detector or made()).observe_steps(values, 0)


@pytest.mark.parametrize("budget", [0.26, 1.0])
@pytest.mark.parametrize("kind", HEALTHY)
def test_false_alarms_stay_within_the_budget(kind: str, budget: float) -> None:
    """The number that a user puts up with would mean nothing."""
    detector = made(false_alarms_per_week=budget)
    scores = judged(HEALTHY[kind](np.random.default_rng(2)), detector)
    wrong = scores.phase == Phase.ANOMALOUS
    begun = (wrong[1:] & ~wrong[:-1]).sum()
    assert begun / (3 * SERIES) <= budget


def test_a_larger_budget_tells_more() -> None:
    """The setting would have no effect."""
    values = HEALTHY["heavy tails"](np.random.default_rng(2))
    few, many = (
        (judged(values, made(false_alarms_per_week=budget)).phase == Phase.ANOMALOUS).sum()
        for budget in (0.05, 10.0)
    )
    assert few < many


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_an_outage_is_found_at_any_scale(scale: float) -> None:
    """A unit of nanoseconds would be blind, or one of bytes deafening."""
    rng = np.random.default_rng(3)
    values = wave()[: 2 * WEEK] * (1 + rng.normal(0, 0.03, (2 * WEEK, 10))) * scale
    values[WEEK : WEEK + 24] *= 0.1
    wrong = judged(values).phase == Phase.ANOMALOUS
    assert wrong[WEEK + 6 : WEEK + 24].all()
    assert not wrong[WEEK - 288 : WEEK].any()
    assert not wrong[WEEK + 48 : WEEK + 288].any()


@pytest.mark.parametrize("step_s", [5.0, 60.0, 300.0])
def test_a_loss_is_found_whatever_the_length_of_a_step(step_s: float) -> None:
    """A budget in weeks asks for more than can be known of a line of seconds."""
    values = np.random.default_rng(14).poisson(20, (1_000, 30)).astype(np.float64)
    values[900:] = 0.0
    detector = NoveltyDetector(NoveltyParameters(step_s=step_s))
    wrong = judged(values, detector).phase == Phase.ANOMALOUS
    assert wrong[906:930].mean() > 0.9


def test_why_is_how_rare_each_measure_is() -> None:
    """A person would be told that something is wrong, and not what."""
    values = np.random.default_rng(5).normal(100, 3, (1_000, 1))
    values[900:] = 30.0
    scores = judged(values)
    assert scores.why is not None
    assert scores.phase[906, 0] == Phase.ANOMALOUS
    assert scores.why.residual[906, 0] == pytest.approx(-np.log10(901), abs=0.01)
    assert scores.why.pattern[906, 0] == pytest.approx(-np.log10(901), abs=0.01)
    assert scores.why.quiet[906, 0] > -2.5


def test_several_steps_at_once_are_as_one_after_the_other() -> None:
    """What is found would depend on how a start catches up."""
    values = np.random.default_rng(6).normal(100, 3, (400, 7))
    values[300:310, 2] = 500.0
    values[100:120, 3] = np.nan
    whole, single = judged(values), made()
    for step, row in enumerate(values):
        one = single.observe(row, step)
        np.testing.assert_array_equal(one.score, whole.score[step])
        np.testing.assert_array_equal(one.phase, whole.phase[step])


def test_neighbours_do_not_matter() -> None:
    """The order of lines would decide what is found."""
    values = np.random.default_rng(7).normal(100, 3, (500, 9))
    values[400:, 4] = 10.0
    order = np.random.default_rng(8).permutation(9)
    straight, mixed = judged(values), judged(np.ascontiguousarray(values[:, order]))
    np.testing.assert_array_equal(straight.score[:, order], mixed.score)


def test_what_comes_later_changes_nothing() -> None:
    """A detector that looks ahead is good in a benchmark alone."""
    values = np.random.default_rng(9).normal(100, 3, (600, 3))
    longer = np.concatenate([values, values * 50])
    np.testing.assert_array_equal(judged(values).score, judged(longer).score[:600])


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_what_is_no_number_is_no_value(odd: float) -> None:
    """One infinity would be the scale of all that comes after."""
    values = np.random.default_rng(10).normal(100, 3, (600, 2))
    broken = values.copy()
    broken[300:303, 1] = odd
    scores = judged(broken)
    assert scores.phase[302, 1] == Phase.MISSING
    assert np.isfinite(scores.score[303:]).all()
    assert not (scores.phase == Phase.ANOMALOUS).any()


@pytest.mark.parametrize("huge", [1e18, 1e300])
def test_a_reset_from_a_huge_number_is_survived(huge: float) -> None:
    """Squares that overflow would leave a line without a judgement for ever."""
    values = np.random.default_rng(11).normal(100, 3, (900, 1))
    values[400] = huge
    scores = judged(values)
    told = np.isfinite(scores.score[200:, 0])
    told[200] |= huge > FURTHEST  # no measurement: as if nothing had come
    assert told.all()
    assert scores.phase[-1, 0] == Phase.NORMAL


def test_one_point_says_nothing() -> None:
    """The first value of a line would be news."""
    scores = judged(np.array([[5.0]]))
    assert scores.phase[0, 0] == Phase.WARMING_UP
    assert np.isnan(scores.score[0, 0])


def test_a_change_too_small_to_matter_wakes_nobody() -> None:
    """100.05 after thousands of 100 is new, and nobody's trouble."""
    values = np.full((WEEK, 1), 100.0)
    values[1_500:] = 100.05
    assert not (judged(values).phase == Phase.ANOMALOUS).any()


def test_only_the_wrong_side_is_told() -> None:
    """A rule for falls would page for a good day."""
    values = np.random.default_rng(12).normal(100, 3, (1_000, 2))
    values[900:, 0] = 300.0
    values[900:, 1] = 0.0
    detector = NoveltyDetector(NoveltyParameters(step_s=STEP_S, direction=Direction.LOW))
    wrong = judged(values, detector).phase == Phase.ANOMALOUS
    assert not wrong[:, 0].any()
    assert wrong[906:930, 1].all()


def test_a_fault_that_repeats_is_told_each_time_where_that_is_wanted() -> None:
    """What is known is no novelty, and a fault for all that."""
    values = np.random.default_rng(13).normal(100, 3, (2 * WEEK, 1))
    faults = range(500, 2 * WEEK, 100)
    for start in faults:
        values[start : start + 8] = 220.0
    told = {}
    for always in (0.0, 8.0):
        wrong = judged(values, made(always_beyond=always)).phase[:, 0] == Phase.ANOMALOUS
        told[always] = sum(bool(wrong[start : start + 8].any()) for start in faults)
        if always:
            assert all(wrong[start] for start in faults)
    assert told[0.0] < len(faults) / 2
    assert told[8.0] == len(faults)
