"""Seasonal: what is usual at this time of the day (or of any period).

A value for each phase of the season, learned over the seasons, plus a slow drift that carries all
phases up and down together: additive Holt-Winters without trend, made robust as in Gelper, Fried
and Croux (2010) by clipping what is learned. Noise and its floor are those of
:mod:`anomaly.detectors.residual`, taken from the residuals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import ANOMALOUS, has_value, judge, relearn
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import setting
from anomaly.detectors.residual import (
    LEVEL,
    ROWS,
    SEEN,
    ResidualParameters,
    ResidualSettings,
    excess,
    learn,
    noise_of,
)
from anomaly.detectors.season import Season, SeasonBlock
from anomaly.detectors.series_detector import SeriesDetector
from collectors.kernel import kernel
from collectors.model import FloatArray

_SEASON_WEIGHT = 0.3
_REACH_SEASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalParameters(ResidualParameters):
    """Settings of the seasonal detector.

    Attributes:
        period_steps: Steps in a season.
    """

    period_steps: int = setting(288, 2, 20_160, required="steps in a day, or in a week")

    @property
    def warm_up_steps(self) -> int:
        """A whole season, then enough residuals to know their noise."""
        return self.period_steps + self.min_steps

    @property
    def reach_steps(self) -> int:
        """Some seasons: one is not enough to know what is usual in it."""
        return _REACH_SEASONS * self.period_steps


@kernel
def _observe(
    values: FloatArray,
    block: SeasonBlock,
    step: int,
    columns: Columns,
    verdicts: Verdicts,
    settings: ResidualSettings,
) -> None:
    residuals, alarms = columns.state, columns.alarms
    season, first = block.usual, block.first
    for j in range(values.shape[0]):
        slot = (step + j) % season.shape[0]
        for i in range(first, block.last):
            x = values[j, i]
            if not has_value(x, i, alarms, settings.alarm):
                continue
            usual = season[slot, i - first]
            if math.isnan(usual):
                season[slot, i - first] = x
                continue
            score = math.nan
            drift = residuals[LEVEL, i]
            if residuals[SEEN, i] >= settings.alarm.min_steps:
                noise = noise_of(residuals, i, settings)
                score = excess(x, usual + drift, noise, settings)
                note_score(j, i, score, usual + drift, noise, verdicts)
                judge(score, i, alarms, settings.alarm)
                if relearn(i, alarms, settings.alarm):
                    forget(residuals, i)
                    for phase in range(season.shape[0]):
                        season[phase, i - first] = math.nan
            if alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                learn(residuals, i, x - usual, settings)
                surprise = x - usual - drift
                if residuals[SEEN, i] >= settings.alarm.min_steps:
                    limit = 3.0 * noise_of(residuals, i, settings)
                    surprise = min(limit, max(-limit, surprise))
                season[slot, i - first] = usual + _SEASON_WEIGHT * surprise
        note_alarms(j, first, block.last, alarms, verdicts)


class SeasonalDetector(SeriesDetector):
    """Robust season of each series; speaks after one whole season."""

    def __init__(self, parameters: SeasonalParameters) -> None:
        super().__init__(ROWS)
        self._settings = parameters.as_numbers()
        self._season = Season(parameters.period_steps)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        super().grow(series)
        self._season.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        super().forget(series)
        self._season.forget(series)

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> None:
        for block in self._season.blocks(values.shape[1]):
            _observe(values, block, step, self._memory.columns, verdicts, self._settings)


DETECTOR = DetectorKind(
    name="seasonal",
    parameters=SeasonalParameters,
    make=SeasonalDetector,
    trial=SeasonalParameters(period_steps=6),
)
