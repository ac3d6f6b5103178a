"""Seasonal: what is usual at this time of the day (or of any period).

A value for each phase of the season, learned over the seasons, plus a slow drift that carries all
phases up and down together: additive Holt-Winters without trend, made robust as in Gelper, Fried
and Croux (2010) by clipping what is learned. Noise and its floor are those of the level detector,
taken from the residuals.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anomaly.detectors.alarm import ANOMALOUS, WARMING_UP, Alarms, judge, note_missing, note_present
from anomaly.detectors.detector import SIDES, PhaseArray, Scores
from anomaly.detectors.level import LEVEL, SEEN, excess, learn, noise_of
from anomaly.detectors.parameters import Parameters
from collectors.model import FloatArray, IntArray

SeasonArray = NDArray[np.float32]

_SEASON_WEIGHT = 0.3


class SeasonalDetector:
    """Robust season of each series; speaks after one whole season."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._residuals: FloatArray = np.zeros((5, 0))
        self._season: SeasonArray = np.zeros((0, parameters.period_steps), dtype=np.float32)
        self._alarms = Alarms()

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        extra = series - self._residuals.shape[1]
        if extra > 0:
            period = self._parameters.period_steps
            empty = np.full((extra, period), np.nan, dtype=np.float32)
            self._season = np.concatenate([self._season, empty])
            self._residuals = np.concatenate([self._residuals, np.zeros((5, extra))], axis=1)
            self._alarms.grow(series)

    def observe(self, values: FloatArray, step: int) -> Scores:
        """Judge one value a series against its phase, then learn from it unless it is anomalous."""
        p, alarms = self._parameters, self._alarms
        score, expected, scale = (np.full(len(values), np.nan) for _ in range(3))
        _observe(
            values,
            self._season,
            step % p.period_steps,
            self._residuals,
            alarms.phase,
            alarms.bad,
            alarms.good,
            alarms.since,
            alarms.missing,
            score,
            expected,
            scale,
            SIDES[p.direction],
            p.min_steps,
            p.threshold,
            p.confirm_steps,
            p.extreme,
            p.clear_steps,
            p.missing_steps,
            1.0 - 0.5 ** (1.0 / p.half_life_steps),
            p.scale_floor,
            p.min_change,
            p.relearn_steps,
        )
        return Scores(
            phase=alarms.phase.copy(),
            score=score,
            expected=expected,
            scale=scale,
            since_steps=alarms.since.copy(),
        )


@njit(cache=True, nogil=True)
def _observe(
    values: FloatArray,
    season: SeasonArray,
    slot: int,
    residuals: FloatArray,
    phase: PhaseArray,
    bad: IntArray,
    good: IntArray,
    since: IntArray,
    missing: IntArray,
    score: FloatArray,
    expected: FloatArray,
    scale: FloatArray,
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
    for i in range(values.shape[0]):
        x = values[i]
        if math.isnan(x):
            note_missing(i, phase, missing, missing_steps)
            continue
        note_present(i, phase, since, missing)
        usual = season[i, slot]
        if math.isnan(usual):
            season[i, slot] = x
            continue
        drift = residuals[LEVEL, i]
        if residuals[SEEN, i] >= min_steps:
            noise = noise_of(residuals, i, scale_floor)
            expected[i] = usual + drift
            scale[i] = noise
            score[i] = excess(x, expected[i], noise, side, threshold, min_change)
            judge(score[i], i, phase, bad, good, since, confirm_steps, extreme, clear_steps)
            if phase[i] == ANOMALOUS and since[i] >= relearn_steps:
                season[i, :] = np.nan
                residuals[:, i] = 0.0
                phase[i] = WARMING_UP
                bad[i] = 0
                since[i] = 0
        if phase[i] != ANOMALOUS and not score[i] >= 1.0:
            learn(residuals, i, x - usual, alpha)
            surprise = x - usual - drift
            if residuals[SEEN, i] >= min_steps:
                limit = 3.0 * noise_of(residuals, i, scale_floor)
                surprise = min(limit, max(-limit, surprise))
            season[i, slot] = usual + _SEASON_WEIGHT * surprise
