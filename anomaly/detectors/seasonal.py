"""Seasonal: what is usual at this time of the day (or of any period).

A value for each phase of the season, learned over the seasons, plus a slow drift that carries all
phases up and down together: additive Holt-Winters without trend, made robust as in Gelper, Fried
and Croux (2010) by clipping what is learned. Noise and its floor are those of
:mod:`anomaly.detectors.residual`, taken from the residuals; where a series is busier it may be
noisier in proportion. In a season of days a clock that was changed by an hour is no fault, and a
decline that the drift follows down is told against the :mod:`anomaly.detectors.anchor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import ANOMALOUS, has_value, judge, relearn
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.level import LevelDetector
from anomaly.detectors.lone import LONE_ROWS, unless_lone
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import setting
from anomaly.detectors.residual import (
    LAST,
    LEVEL,
    RANGE_TO_STD,
    ROWS,
    SEEN,
    ResidualParameters,
    ResidualSettings,
    back_to_anchor,
    excess,
    learn,
    noise_of,
    slow_loss,
)
from anomaly.detectors.season import Season, SeasonArray, SeasonBlock
from anomaly.detectors.series_detector import SeriesDetector
from anomaly.seasons.hours import offsets_s
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray, IntArray

_RELATIVE = ROWS
_LONE = ROWS + 1
_ROWS = _LONE + LONE_ROWS
_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_SEASON_WEIGHT = 0.3
_REACH_SEASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalParameters(ResidualParameters):
    """Settings of the seasonal detector.

    Attributes:
        period_steps: Steps in a season; 0: it is found, and until then there is none.
        zone: Whose clock the season follows, an IANA name.
    """

    period_steps: int = setting(0, 0, 20_160)
    zone: str = "UTC"

    def contradiction(self) -> tuple[str, str] | None:
        """A season of one step is none."""
        if self.period_steps == 1:
            return "period_steps", "must be at least 2, or 0 for a season that is found"
        return None

    @property
    def clock_steps(self) -> int:
        """Steps of an hour, by which clocks change, in a season of days; 0 in any other."""
        days = self.period_steps * self.step_s / _DAY_S
        hour = round(_HOUR_S / self.step_s)
        return hour if days >= 1 and days == round(days) else 0

    @property
    def warm_up_steps(self) -> int:
        """A whole season, then enough residuals to know their noise."""
        return self.period_steps + self.min_steps

    @property
    def reach_steps(self) -> int:
        """Some seasons: one is not enough to know what is usual in it."""
        return _REACH_SEASONS * self.period_steps


@inlined
def _relative(state: FloatArray, i: int, usual: float) -> float:
    """Return the noise that a series has in proportion to its level."""
    return float(state[_RELATIVE, i] * RANGE_TO_STD * abs(usual))


@inlined
def _learn_relative(
    state: FloatArray, i: int, residual: float, usual: float, settings: ResidualSettings
) -> None:
    """Take the difference to the residual before into the noise in proportion to the level."""
    seen = state[SEEN, i]
    if usual == 0.0 or seen < 1.0:
        return
    share = min(1.0, abs((residual - state[LAST, i]) / usual))
    known = state[_RELATIVE, i]
    if seen > 4.0 and known > 0.0:
        share = min(share, 3.0 * known)
    state[_RELATIVE, i] = known + max(settings.alpha, 1.0 / seen) * (share - known)


@inlined
def _by_another_clock(
    score: float,
    x: float,
    season: SeasonArray,
    slot: int,
    at: int,
    i: int,
    residuals: FloatArray,
    noise: float,
    clock_steps: int,
    settings: ResidualSettings,
) -> float:
    """Return the least score of ``x`` by a clock that is right, an hour ahead or an hour behind.

    Twice a year people get up an hour earlier or later than the season has learned.
    """
    least, drift = score, residuals[LEVEL, i]
    for shift in (-clock_steps, clock_steps):
        usual = season[(slot + shift) % season.shape[0], at]
        if not math.isnan(usual):
            then = max(noise, _relative(residuals, i, usual))
            least = min(least, excess(x, usual + drift, then, settings))
    return least


@inlined
def _learned(
    x: float,
    usual: float,
    other_clock: bool,
    i: int,
    residuals: FloatArray,
    settings: ResidualSettings,
) -> float:
    """Take ``x`` into drift and noise; return what is usual at this phase from now on."""
    surprise = x - usual - residuals[LEVEL, i]
    if slow_loss(x, usual, i, residuals, settings) >= 1.0:
        # The next steps are judged against what was usual before the decline.
        back_to_anchor(residuals, i)
        return usual
    if other_clock:
        # Only the season is another one; drift and noise are as they were.
        return float(usual + _SEASON_WEIGHT * surprise)
    _learn_relative(residuals, i, x - usual, usual, settings)
    learn(residuals, i, x - usual, settings)
    if residuals[SEEN, i] >= settings.alarm.min_steps:
        limit = 3.0 * noise_of(residuals, i, settings)
        surprise = min(limit, max(-limit, surprise))
    return float(usual + _SEASON_WEIGHT * surprise)


@kernel
def _observe(
    values: FloatArray,
    block: SeasonBlock,
    phases: IntArray,
    columns: Columns,
    verdicts: Verdicts,
    settings: ResidualSettings,
    clock_steps: int,
) -> None:
    residuals, alarms = columns.state, columns.alarms
    season, first = block.usual, block.first
    for j in range(values.shape[0]):
        slot = phases[j]
        for i in range(first, block.last):
            x = values[j, i]
            if not has_value(x, i, alarms, settings.alarm):
                continue
            usual = season[slot, i - first]
            if math.isnan(usual):
                season[slot, i - first] = x
                continue
            score, other_clock = math.nan, False
            drift = residuals[LEVEL, i]
            if residuals[SEEN, i] >= settings.alarm.min_steps:
                noise = max(noise_of(residuals, i, settings), _relative(residuals, i, usual))
                expected = usual + drift
                score = excess(x, expected, noise, settings)
                other_clock = score >= 1.0 and clock_steps > 0
                if other_clock:
                    score = _by_another_clock(
                        score,
                        x,
                        season,
                        slot,
                        i - first,
                        i,
                        residuals,
                        noise,
                        clock_steps,
                        settings,
                    )
                note_score(j, i, score, expected, noise, verdicts)
                told = unless_lone(score, i, _LONE, residuals, alarms, settings.alarm.extreme)
                judge(told, i, alarms, settings.alarm)
                if relearn(i, alarms, settings.alarm):
                    forget(residuals, i)
                    for phase in range(season.shape[0]):
                        season[phase, i - first] = math.nan
            if alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                season[slot, i - first] = _learned(x, usual, other_clock, i, residuals, settings)
        note_alarms(j, first, block.last, alarms, verdicts)


class SeasonalDetector(SeriesDetector):
    """Robust season of each series; speaks after one whole season.

    It follows the clock of its zone: what people do at nine is done at nine in summer, too.
    """

    def __init__(self, parameters: SeasonalParameters) -> None:
        super().__init__(_ROWS)
        self._settings = parameters.as_numbers()
        self._clock_steps = parameters.clock_steps
        self._season = Season(parameters.period_steps)
        self._period_steps, self._step_s = parameters.period_steps, parameters.step_s
        self._zone = parameters.zone

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        super().grow(series)
        self._season.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        super().forget(series)
        self._season.forget(series)

    def _phases(self, step: int, steps: int) -> IntArray:
        """Return the phase of the season in each step."""
        numbers: IntArray = np.arange(step, step + steps, dtype=np.int64)
        ahead_s = offsets_s((numbers * self._step_s).astype(np.int64), self._zone)
        return (numbers + np.rint(ahead_s / self._step_s).astype(np.int64)) % self._period_steps

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> None:
        phases = self._phases(step, len(values))
        for block in self._season.blocks(values.shape[1]):
            _observe(
                values,
                block,
                phases,
                self._memory.columns,
                verdicts,
                self._settings,
                self._clock_steps,
            )


def _made(parameters: SeasonalParameters) -> SeriesDetector:
    """Return a detector: of the level alone, as long as no season is known."""
    if parameters.period_steps:
        return SeasonalDetector(parameters)
    return LevelDetector(parameters)


DETECTOR = DetectorKind(
    name="seasonal",
    parameters=SeasonalParameters,
    make=_made,
    trial=SeasonalParameters(period_steps=6),
)
