"""What is no fault wakes nobody: noise of many kinds, flat stretches, mornings, clock changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from anomaly.detectors.detector import Direction, Phase
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import detectors
from anomaly.detectors.seasonal import SeasonalParameters
from collectors.model import FloatArray

STEPS, SERIES = 3_000, 40
DAY = 144
"""Steps of ten minutes."""

Noise = Callable[[np.random.Generator], NDArray[Any]]


def day(depth: float) -> NDArray[Any]:
    """A day after another, traffic between ``1 - depth`` and ``1 + depth``; (steps, 1)."""
    turn = 2 * np.pi * np.arange(STEPS) / 1_440
    wave: NDArray[Any] = 100 * (1 + depth * np.sin(turn))[:, np.newaxis]
    return wave


HEALTHY: dict[str, Noise] = {
    "sparse": lambda rng: rng.poisson(5, (STEPS, SERIES)).astype(float),
    "busy": lambda rng: rng.poisson(100, (STEPS, SERIES)).astype(float),
    "skewed": lambda rng: 100 * np.exp(rng.normal(0, 0.3, (STEPS, SERIES))),
    "wandering": lambda rng: 100 * np.exp(rng.normal(0, 0.01, (STEPS, SERIES)).cumsum(axis=0)),
    "a day": lambda rng: day(0.5) * (1 + rng.normal(0, 0.05, (STEPS, SERIES))),
    "a deep night": lambda rng: day(0.8) * (1 + rng.normal(0, 0.05, (STEPS, SERIES))),
    "a one among zeros": lambda rng: (rng.random((STEPS, SERIES)) < 0.001) * 1.0,
    "hardly any change": lambda rng: 100 + 0.05 * (rng.random((STEPS, SERIES)) < 0.01),
}


def alarms(name: str, values: FloatArray, parameters: Parameters) -> FloatArray:
    """Return how often each series became anomalous."""
    detector = detectors()[name].make(parameters)
    detector.grow(values.shape[1])
    wrong = np.array(
        [detector.observe(row, step).phase == Phase.ANOMALOUS for step, row in enumerate(values)]
    )
    begun: FloatArray = (wrong[1:] & ~wrong[:-1]).sum(axis=0)
    return begun


@pytest.mark.parametrize("kind", HEALTHY)
@pytest.mark.parametrize("name", ["counts", "level"])
def test_noise_of_many_kinds(name: str, kind: str) -> None:
    """A scale that collapses, or an anchor that takes a night for a decline, pages for nothing."""
    direction = Direction.LOW if name == "counts" else Direction.BOTH
    parameters = replace(detectors()[name].parameters(), direction=direction, step_s=1.0)
    values = HEALTHY[kind](np.random.default_rng(1))
    budget = 0.001 * SERIES * STEPS / 100  # one in 100,000 steps of a series
    assert alarms(name, values, parameters).sum() <= max(2, budget)


def morning(step: int, hour_ahead: bool) -> float:
    """Traffic that jumps each morning, and falls each night."""
    hour = (step % DAY) / 6 + hour_ahead
    return 100.0 if 8 <= hour % 24 < 22 else 20.0


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize(("share", "sigma"), [(0.04, 0.0), (0.0, 2.0)])
def test_mornings_and_clock_changes(changed: bool, share: float, sigma: float) -> None:
    """Noise in proportion to a level that jumps pages each morning; a clock change pages twice."""
    rng = np.random.default_rng(3)
    usual = np.array([morning(n, changed and n >= 4 * DAY) for n in range(7 * DAY)])
    values = usual[:, np.newaxis] + rng.normal(0, 1, (7 * DAY, 20)) * (
        sigma + share * usual[:, np.newaxis]
    )
    parameters = SeasonalParameters(period_steps=DAY, step_s=600.0)
    assert alarms("seasonal", values, parameters).sum() == 0


def test_an_outage_at_noon_is_no_clock_change() -> None:
    """The tolerance for clocks must not hide a fall that no hour explains."""
    rng = np.random.default_rng(4)
    usual = np.array([morning(n, hour_ahead=False) for n in range(5 * DAY)])
    usual[4 * DAY + DAY // 2 :] *= 0.2
    values = usual[:, np.newaxis] + rng.normal(0, 2, (5 * DAY, 20))
    parameters = SeasonalParameters(period_steps=DAY, step_s=600.0)
    assert (alarms("seasonal", values, parameters) >= 1).all()


CALIBRATED = 4_000, 30
"""Steps and series of noise."""


def waves(rng: np.random.Generator, alike: float) -> NDArray[Any]:
    """Noise whose neighbours are alike."""
    found = rng.normal(0, 1, CALIBRATED)
    for step in range(1, len(found)):
        found[step] += alike * found[step - 1]
    return found


FIVE_KINDS: dict[str, Noise] = {
    "normal": lambda rng: np.maximum(0, rng.normal(100, 5, CALIBRATED)),
    "heavy tails": lambda rng: np.maximum(0, 100 + rng.standard_t(3, CALIBRATED)),
    "counted": lambda rng: rng.poisson(5, CALIBRATED).astype(float),
    "slow waves": lambda rng: 100 + waves(rng, 0.7),
    "a day": lambda rng: (
        100
        * (1 + 0.5 * np.sin(2 * np.pi * np.arange(CALIBRATED[0]) / 1_440))[:, np.newaxis]
        * (1 + rng.normal(0, 0.05, CALIBRATED))
    ),
}


def as_it_comes(name: str) -> Parameters:
    """The settings that a detector has when nobody sets any, with steps of a minute."""
    kind = detectors()[name]
    direction = Direction.LOW if name == "counts" else Direction.BOTH
    chosen: Parameters = replace(kind.parameters(), direction=direction, step_s=60.0)
    if isinstance(chosen, SeasonalParameters):
        chosen = replace(chosen, period_steps=1_440)
    return chosen


@pytest.mark.parametrize("kind", FIVE_KINDS)
@pytest.mark.parametrize("name", sorted(detectors()))
def test_each_detector_keeps_to_what_it_states(name: str, kind: str) -> None:
    """A budget that a detector states and does not keep wakes people for nothing."""
    parameters = as_it_comes(name)
    values = FIVE_KINDS[kind](np.random.default_rng(12))
    if name in {"counts", "sparse"}:
        values = values / parameters.step_s  # so many in a step
    detector = detectors()[name].make(parameters)
    whole = None
    if detectors()[name].volume:
        whole = values
        values = np.random.default_rng(13).binomial((values * 60).astype(int), 0.02) / 60
    wrong = detector.observe_steps(values, 0, whole).phase == Phase.ANOMALOUS
    begun = (wrong[1:] & ~wrong[:-1]).sum()
    # Three more than stated by chance alone, as the count of rare events varies.
    budget = parameters.stated_rate * values.size
    assert begun <= budget + 3 * np.sqrt(budget) + 1
