"""Long runs of healthy and broken traffic through the counts detector, with seeds."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly.detectors.counts import CountsDetector, CountsParameters
from anomaly.detectors.detector import Direction, Phase
from collectors.model import FloatArray

STEP_S = 5.0
PARAMETERS = CountsParameters(direction=Direction.LOW, half_life_steps=8, step_s=STEP_S)
RATES = (3.0, 4.0, 6.0, 10.0)


def alarms(rates: FloatArray, steps: int, *, day: float, swing: float, seed: int) -> int:
    """Return how many series were ever anomalous over ``steps`` healthy steps."""
    rng = np.random.default_rng(seed)
    detector = CountsDetector(PARAMETERS)
    detector.grow(len(rates))
    turn = rng.uniform(0, 2 * np.pi, len(rates))
    ever = np.zeros(len(rates), dtype=bool)
    for step in range(steps):
        rhythm = 1 + swing * np.sin(2 * np.pi * step / day + turn)
        counts = rng.poisson(rates * rhythm * STEP_S)
        ever |= detector.observe(counts / STEP_S, step).phase == Phase.ANOMALOUS
    return int(ever.sum())


@pytest.mark.parametrize("seed", [1, 2])
def test_no_false_alarm_in_two_thousand_hours(seed: int) -> None:
    """200 regions for 10 hours of steps, at 3 to 10 starts a second with a day of 24 minutes."""
    rates = np.resize(np.array(RATES), 200)
    assert alarms(rates, 7_200, day=288.0, swing=0.15, seed=seed) == 0


def test_no_false_alarm_while_viewers_arrive() -> None:
    """A platform that starts: traffic grows from nothing over a minute."""
    rng = np.random.default_rng(3)
    detector = CountsDetector(PARAMETERS)
    detector.grow(200)
    for step in range(300):
        rate = 6.0 * min(1.0, step / 12)
        scores = detector.observe(rng.poisson(rate * STEP_S, 200) / STEP_S, step)
        assert not (scores.phase == Phase.ANOMALOUS).any()


@pytest.mark.parametrize(
    ("rate", "steps", "share"),
    [(3.0, 2, 0.9), (3.0, 3, 0.97), (5.0, 2, 0.99), (10.0, 1, 0.98), (10.0, 2, 1.0)],
)
def test_total_loss_is_found_after_a_minute_of_baseline(
    rate: float, steps: int, share: float
) -> None:
    """Twelve steps of five seconds are enough to notice that the thirteenth is empty."""
    rng = np.random.default_rng(4)
    detector = CountsDetector(PARAMETERS)
    detector.grow(5_000)
    for step in range(PARAMETERS.min_steps):
        detector.observe(rng.poisson(rate * STEP_S, 5_000) / STEP_S, step)
    for step in range(steps):
        scores = detector.observe(np.zeros(5_000), PARAMETERS.min_steps + step)
    assert (scores.phase == Phase.ANOMALOUS).mean() >= share


def test_sparse_series_say_that_they_are_too_sparse() -> None:
    """One event a minute can't be judged in useful time, and that is said."""
    rng = np.random.default_rng(5)
    detector = CountsDetector(PARAMETERS)
    detector.grow(50)
    for step in range(200):
        scores = detector.observe(rng.poisson(1 / 60 * STEP_S, 50) / STEP_S, step)
    assert (scores.phase == Phase.LOW_VOLUME).mean() > 0.9


def test_a_rise_is_found_when_that_is_looked_for() -> None:
    """Otherwise a rule for rises would only ever find falls."""
    rising = CountsParameters(direction=Direction.HIGH, change_to=3.0, step_s=STEP_S)
    detector = CountsDetector(rising)
    detector.grow(1)
    rng = np.random.default_rng(6)
    for step in range(60):
        scores = detector.observe(rng.poisson(4.0 * STEP_S, 1) / STEP_S, step)
        assert scores.phase[0] != Phase.ANOMALOUS
    scores = detector.observe(np.array([14.0]), 60)
    scores = detector.observe(np.array([14.0]), 61)
    assert scores.phase[0] == Phase.ANOMALOUS
