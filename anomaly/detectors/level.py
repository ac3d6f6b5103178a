"""Level: a robust moving average with a noise floor.

An exponentially weighted level and mean absolute deviation with Huber's clipping (Gelper, Fried and
Croux, "Robust forecasting with exponential and Holt-Winters smoothing", 2010). The scale never
falls below a share of the long-run standard deviation: on quiet series a collapsing scale, not a
bad forecast, is what raises false alarms.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.detectors.alarm import (
    ANOMALOUS,
    AlarmArrays,
    judge,
    note_missing,
    note_present,
    relearn,
)
from anomaly.detectors.detector import SIDES, Scores
from anomaly.detectors.memory import SeriesMemory, Verdicts, note_alarms, scores_of
from anomaly.detectors.parameters import Parameters
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of a state array, here and in the seasonal detector.
SEEN, LEVEL, SPREAD, MEAN, SQUARES = range(5)
ROWS = 5
_MAD_TO_STD = 1.2533
_CLIP = 3.0


@inlined
def noise_of(state: FloatArray, i: int, scale_floor: float) -> float:
    """Return the usual size of a residual: robust, but not below a share of the long-run one."""
    variance = state[SQUARES, i] / max(1.0, state[SEEN, i] - 1.0)
    floor = scale_floor * math.sqrt(max(0.0, variance))
    # A constant series has no noise at all; a millionth of its level keeps the score finite.
    least = 1e-6 * abs(state[LEVEL, i]) + 1e-12
    return float(max(state[SPREAD, i] * _MAD_TO_STD, floor, least))


@inlined
def excess(
    x: float, level: float, noise: float, side: int, threshold: float, min_change: float
) -> float:
    """Return the distance on the wrong side in units of the limit, 0.0 on the right side."""
    residual = x - level
    if side < 0:
        distance = -residual
    elif side > 0:
        distance = residual
    else:
        distance = abs(residual)
    score = max(0.0, distance / (noise * threshold))
    # Too small a change to matter is still shown as a share of what would matter, below 0.5.
    return min(0.49, score) if distance <= min_change * abs(level) else score


@inlined
def forget(state: FloatArray, i: int) -> None:
    """Forget all that is known of series ``i``."""
    for row in range(state.shape[0]):
        state[row, i] = 0.0


@inlined
def learn(state: FloatArray, i: int, x: float, alpha: float) -> None:
    """Take ``x`` into level and spread; early values weigh equally, later ones exponentially."""
    seen = state[SEEN, i] + 1.0
    state[SEEN, i] = seen
    weight = max(alpha, 1.0 / seen)
    residual = x - state[LEVEL, i]
    spread = state[SPREAD, i]
    if seen > 4.0 and spread > 0.0:
        limit = _CLIP * spread * _MAD_TO_STD
        residual = min(limit, max(-limit, residual))
    if seen > 1.0:
        state[SPREAD, i] = spread + max(alpha, 1.0 / (seen - 1.0)) * (abs(residual) - spread)
    state[LEVEL, i] += weight * residual
    delta = x - state[MEAN, i]
    state[MEAN, i] += delta / seen
    state[SQUARES, i] += delta * (x - state[MEAN, i])


@kernel
def _observe(
    values: FloatArray,
    state: FloatArray,
    alarms: AlarmArrays,
    verdicts: Verdicts,
    side: int,
    min_steps: int,
    threshold: float,
    confirm_steps: int,
    extreme: float,
    clear_steps: int,
    missing_steps: int,
    alpha: float,
    scale_floor: float,
    min_change: float,
    relearn_steps: int,
) -> None:
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[j, i]
            if math.isnan(x):
                note_missing(i, alarms, missing_steps)
                continue
            note_present(i, alarms)
            score = math.nan
            if state[SEEN, i] >= min_steps:
                noise = noise_of(state, i, scale_floor)
                score = excess(x, state[LEVEL, i], noise, side, threshold, min_change)
                verdicts.expected[j, i] = state[LEVEL, i]
                verdicts.scale[j, i] = noise
                verdicts.score[j, i] = score
                judge(score, i, alarms, confirm_steps, extreme, clear_steps)
                if relearn(i, alarms, relearn_steps):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                learn(state, i, x, alpha)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class LevelDetector:
    """Robust level of each series; for signals without a season worth modelling."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._memory = SeriesMemory(ROWS)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        self._memory.grow(series)

    def observe(self, values: FloatArray, step: int) -> Scores:
        """Judge one value a series, then learn from it unless it is anomalous."""
        return self.observe_steps(values[np.newaxis], step).at(0)

    def observe_steps(self, values: FloatArray, step: int) -> Scores:
        """Judge each step, then learn from what is not anomalous in it."""
        del step
        p, memory = self._parameters, self._memory
        verdicts = memory.verdicts(*values.shape)
        _observe(
            values,
            memory.state,
            memory.alarms,
            verdicts,
            SIDES[p.direction],
            p.min_steps,
            p.threshold,
            p.confirm_steps,
            p.extreme,
            p.clear_steps,
            p.missing_steps,
            p.alpha,
            p.scale_floor,
            p.min_change,
            p.relearn_steps,
        )
        return scores_of(verdicts)
