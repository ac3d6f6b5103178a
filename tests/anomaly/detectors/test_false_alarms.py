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
