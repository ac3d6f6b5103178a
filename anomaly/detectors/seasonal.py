"""Seasonal: what is usual at this time of the day (or of any period).

A value for each phase of the season, learned over the seasons, plus a slow drift that carries all
phases up and down together: additive Holt-Winters without trend, made robust as in Gelper, Fried
and Croux (2010) by clipping what is learned. Noise and its floor are those of the level detector,
taken from the residuals.
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
from anomaly.detectors.level import LEVEL, ROWS, SEEN, excess, forget, learn, noise_of
from anomaly.detectors.memory import SeriesMemory, Verdicts, note_alarms, scores_of
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.season import Season, SeasonArray
from collectors.kernel import kernel
from collectors.model import FloatArray

_SEASON_WEIGHT = 0.3


@kernel
def _observe(
    values: FloatArray,
    first: int,
    last: int,
    season: SeasonArray,
    step: int,
    residuals: FloatArray,
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
        slot = (step + j) % season.shape[0]
        for i in range(first, last):
            x = values[j, i]
            if math.isnan(x):
                note_missing(i, alarms, missing_steps)
                continue
            note_present(i, alarms)
            usual = season[slot, i - first]
            if math.isnan(usual):
                season[slot, i - first] = x
                continue
            score = math.nan
            drift = residuals[LEVEL, i]
            if residuals[SEEN, i] >= min_steps:
                noise = noise_of(residuals, i, scale_floor)
                score = excess(x, usual + drift, noise, side, threshold, min_change)
                verdicts.expected[j, i] = usual + drift
                verdicts.scale[j, i] = noise
                verdicts.score[j, i] = score
                judge(score, i, alarms, confirm_steps, extreme, clear_steps)
                if relearn(i, alarms, relearn_steps):
                    forget(residuals, i)
                    for phase in range(season.shape[0]):
                        season[phase, i - first] = math.nan
            if alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                learn(residuals, i, x - usual, alpha)
                surprise = x - usual - drift
                if residuals[SEEN, i] >= min_steps:
                    limit = 3.0 * noise_of(residuals, i, scale_floor)
                    surprise = min(limit, max(-limit, surprise))
                season[slot, i - first] = usual + _SEASON_WEIGHT * surprise
        note_alarms(j, first, last, alarms, verdicts)


class SeasonalDetector:
    """Robust season of each series; speaks after one whole season."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._residuals = SeriesMemory(ROWS)
        self._season = Season(parameters.period_steps)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        self._residuals.grow(series)
        self._season.grow(series)

    def observe(self, values: FloatArray, step: int) -> Scores:
        """Judge one value a series against its phase, then learn from it unless it is anomalous."""
        return self.observe_steps(values[np.newaxis], step).at(0)

    def observe_steps(self, values: FloatArray, step: int) -> Scores:
        """Judge each step against its phase, then learn from what is not anomalous in it."""
        p, memory = self._parameters, self._residuals
        series = values.shape[1]
        self.grow(series)
        verdicts = memory.verdicts(*values.shape)
        for first, last, season in self._season.blocks(series):
            _observe(
                values,
                first,
                last,
                season,
                step,
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
