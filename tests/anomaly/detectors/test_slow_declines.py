"""A baseline that follows a fall down is never far from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anomaly.detectors.detector import Direction, Phase
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import detectors
from anomaly.detectors.seasonal import SeasonalParameters
from collectors.model import FloatArray

WARM, FALL, SERIES = 200, 100, 20


def parameters(name: str) -> Parameters:
    trial: Parameters = detectors()[name].trial
    chosen = replace(trial, direction=Direction.LOW, min_steps=8, step_s=5.0)
    if isinstance(chosen, SeasonalParameters):
        return replace(chosen, period_steps=60)  # a shorter season learns the decline itself
    return chosen


@pytest.mark.parametrize("name", ["change", "counts", "level", "seasonal"])
def test_a_slow_decline_is_told_against_what_was_usual_before(name: str) -> None:
    """Nine tenths are lost within a hundred steps, and nobody hears of it before it is over."""
    rng = np.random.default_rng(8)
    detector = detectors()[name].make(parameters(name))
    detector.grow(SERIES)
    wrong, expected = [], []
    for step in range(WARM + FALL + 30):
        left = max(0.1, 1.0 - max(0, step - WARM) / FALL)
        rates = left * rng.poisson(100 + 5 * (step % 6), SERIES) / 5.0
        values: FloatArray = rates.astype(np.float64)
        scores = detector.observe(values, step)
        wrong.append(scores.phase == Phase.ANOMALOUS)
        expected.append(scores.expected)
    found = np.array(wrong)
    assert not found[:WARM].any()
    told = found.argmax(axis=0)
    assert found.any(axis=0).all()
    assert told.max() <= WARM + FALL
    assert min(expected[step][series] for series, step in enumerate(told)) > 12.0


@pytest.mark.parametrize("name", ["counts", "level", "seasonal"])
def test_without_an_anchor_it_is_followed_down(name: str) -> None:
    """The setting that takes the anchor away has no effect."""
    anchored, free = parameters(name), replace(parameters(name), anchor_half_lives=0.0)
    seen = []
    for chosen in (anchored, free):
        detector = detectors()[name].make(chosen)
        detector.grow(1)
        levels = [20.0 * max(0.1, 1.0 - max(0, n - WARM) / FALL) for n in range(WARM + FALL)]
        noise = np.random.default_rng(9).normal(1.0, 0.02, len(levels))
        found = [
            detector.observe(np.array([value]), n).expected[0]
            for n, value in enumerate(np.array(levels) * noise)
        ]
        seen.append(found[-1])
    assert seen[0] > seen[1]
