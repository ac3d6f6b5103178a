"""Change: a level or a spread that is another one than before, however small the single steps.

Page's cumulative sums (1954), two for the level and two for the spread (Hawkins, "A CUSUM for a
scale parameter", 1981: the square root of a distance is nearly normal). What is added up are the
innovations of a first-order autoregression (Alwan and Roberts, "Time-series modeling for
statistical process control", 1988), so that slow waves, whose neighbours are alike, are no change;
clipped, so that one wild value is none either. Sums of a dozen that have always varied more than
chance makes them, as those of a line with a day do, count for less. A sum passes its limit by
chance less than once in ``exp(evidence)`` steps of normal noise (Siegmund's approximation, 1985).

Use it where what matters is small but lasts: a latency a quarter higher since noon, a queue that
has begun to swing. A loss of everything is found sooner by ``level`` or ``counts``.

>>> import numpy as np
>>> detector = ChangeDetector(ChangeParameters(min_steps=50))
>>> values = np.random.default_rng(1).normal(100, 5, (220, 1))
>>> values[200:] += 12  # 2.4 times the usual noise
>>> found = detector.observe_steps(values, 0)
>>> int((found.phase[:200] == 2).sum()), bool((found.phase[215:] == 2).all())
(0, True)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import ANOMALOUS, has_value, judge, relearn
from anomaly.detectors.change.charts import MANNERS, begin, highest, off_by, score_of
from anomaly.detectors.change.noise import (
    CLIP,
    CLIP_SCALE,
    alike,
    clipped,
    innovation_noise,
    learn_blocks,
    learn_noise,
    learn_trend,
    root_z,
)
from anomaly.detectors.change.row import (
    BEFORE,
    CHART,
    DISPERSION,
    FIRST,
    IN_DAY,
    OFF,
    ROOT_DISPERSION,
    SIZE,
    STATE_ROWS,
    TREND,
    WIDEST,
)
from anomaly.detectors.change.settings import ChangeParameters, ChangeSettings
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.novelty.day import DAY_S, learn_day, usual
from anomaly.detectors.novelty.row import KNOTS, TAUGHT, RowArray
from anomaly.detectors.residual import (
    LEVEL,
    SEEN,
    back_to_anchor,
    learn,
    noise_of,
    slow_loss,
)
from anomaly.detectors.series_detector import SeriesDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

_OFF_WEIGHT = 0.25
_SUSPICIOUS = 0.2
_SPECK, _FORGOTTEN = 0.02, 0.9995
"""Of the largest residual, which is forgotten slowly, a share that is too little to matter."""
_DAY_ROW = TAUGHT + KNOTS


@inlined
def _without_day(
    x: float, i: int, state: FloatArray, days: RowArray, day: float, settings: ChangeSettings
) -> float:
    """Return what is usual at this time of the day, NaN while that is being learned."""
    if state[IN_DAY, i] == 0.0:
        state[FIRST, i] = x
    off = x - state[FIRST, i] - usual(days, i, day)
    if state[IN_DAY, i] < settings.day_steps:
        state[IN_DAY, i] += 1.0
        learn_day(days, i, day, off)
        state[WIDEST, i] = max(_FORGOTTEN * state[WIDEST, i], abs(off))
        return math.nan
    return float(state[FIRST, i] + usual(days, i, day))


@inlined
def _learn(
    state: FloatArray,
    i: int,
    y: float,
    innovation: float,
    root: float,
    total: float,
    score: float,
    settings: ChangeSettings,
) -> None:
    """Take a value into all that is usual; one that may be part of a change not into the noise."""
    base, residual = settings.residual, y - state[LEVEL, i]
    noise = noise_of(state, i, base)
    if score >= _SUSPICIOUS:
        state[LEVEL, i] += base.alpha * clipped(residual, noise)
        learn_trend(state, i, residual, noise, base)
        return
    told = state[SEEN, i] >= base.alarm.min_steps
    if told:
        # A lone one among zeros must not move a level that has no noise of its own.
        y = state[LEVEL, i] + clipped(residual, CLIP_SCALE * noise)
    learn(state, i, y, base)
    noise = noise_of(state, i, base)
    most = CLIP_SCALE * noise
    if told:
        learn_trend(state, i, residual, noise, base)
        innovation = clipped(innovation, most)
    learn_noise(state, i, clipped(residual, most), innovation, root, total)


@inlined
def _follow(
    j: int,
    i: int,
    y: float,
    shift: float,
    columns: Columns,
    verdicts: Verdicts,
    settings: ChangeSettings,
) -> float:
    """Judge a value less what is usual at its time of the day; return its score, then learn."""
    state, alarms, base = columns.state, columns.alarms, settings.residual
    was = alarms.phase[i] == ANOMALOUS
    if not was:
        state[LEVEL, i] += state[TREND, i]
    level = state[LEVEL, i] if state[SEEN, i] > 0.0 else y
    residual, total = y - level, level + shift
    innovation = residual - alike(state, i) * state[BEFORE, i]
    own = innovation_noise(state, i, total, settings)
    root, score = math.sqrt(min(100.0, abs(innovation) / own)), math.nan
    if state[SEEN, i] >= base.alarm.min_steps:
        noise = noise_of(state, i, base)
        least = max(base.min_change * abs(total), _SPECK * state[WIDEST, i])
        matters = abs(residual) > least
        root_off = root_z(state, i, root) if noise > least else 0.0
        if was:
            z = clipped(residual / noise, CLIP_SCALE) if matters else 0.0
            off = off_by(z, root_off, int(state[CHART, i]) - 1)
            state[OFF, i] += _OFF_WEIGHT * (off - state[OFF, i])
            score = max(0.0, state[OFF, i] / max(1e-9, state[SIZE, i]))
        else:
            z = clipped(innovation / own, CLIP) if matters else 0.0
            learn_blocks(state, i, z, root_off)
            z /= math.sqrt(max(1.0, state[DISPERSION, i]))
            root_off /= math.sqrt(max(1.0, state[ROOT_DISPERSION, i]))
            score = score_of(state, i, z, root_off, settings)
        note_score(j, i, score, total, noise, verdicts)
        judge(score, i, alarms, base.alarm)
        if alarms.phase[i] == ANOMALOUS:
            if not was:
                alarms.since[i] = begin(state, i, highest(state, i, settings), settings)
            verdicts.manner[j, i] = MANNERS[int(state[CHART, i]) - 1]
    if alarms.phase[i] != ANOMALOUS:
        if slow_loss(y + shift, shift, i, state, base) >= 1.0:
            # The next steps are judged against what was usual before the decline.
            back_to_anchor(state, i)
            state[TREND, i] = 0.0
        else:
            _learn(state, i, y, innovation, root, total, score, settings)
    state[BEFORE, i] = y - state[LEVEL, i]
    state[WIDEST, i] = max(_FORGOTTEN * state[WIDEST, i], abs(residual))
    return score


@kernel
def _observe(
    values: FloatArray,
    at_day: FloatArray,
    days: RowArray,
    columns: Columns,
    verdicts: Verdicts,
    settings: ChangeSettings,
) -> None:
    state, alarms = columns.state, columns.alarms
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[j, i]
            if not has_value(x, i, alarms, settings.residual.alarm):
                continue
            shift = 0.0
            if settings.day_steps > 0.0:
                shift = _without_day(x, i, state, days, at_day[j], settings)
                if math.isnan(shift):
                    continue
            score = _follow(j, i, x - shift, shift, columns, verdicts, settings)
            if relearn(i, alarms, settings.residual.alarm):
                forget(state, i)
                if settings.day_steps > 0.0:
                    for row in range(days.shape[1]):
                        days[i, row] = 0.0
            elif settings.day_steps > 0.0 and alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                noise = CLIP * noise_of(state, i, settings.residual)
                learn_day(days, i, at_day[j], clipped(x - shift, noise))
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class ChangeDetector(SeriesDetector):
    """Level and spread of each series."""

    def __init__(self, parameters: ChangeParameters) -> None:
        super().__init__(STATE_ROWS)
        self._settings = parameters.as_numbers()
        self._step_s = parameters.step_s
        self._days: RowArray = np.zeros((0, _DAY_ROW), dtype=np.float32)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        super().grow(series)
        room = self._memory.room
        if self._settings.day_steps and len(self._days) < room:
            longer: RowArray = np.zeros((room, _DAY_ROW), dtype=np.float32)
            longer[: len(self._days)] = self._days
            self._days = longer

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        super().forget(series)
        self._days[series[series < len(self._days)]] = 0.0

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> None:
        steps = np.arange(step, step + len(values), dtype=np.float64)
        at_day: FloatArray = np.mod(steps * self._step_s, DAY_S) / DAY_S
        columns = self._memory.columns
        _observe(values, at_day, self._days, columns, verdicts, self._settings)


DETECTOR = DetectorKind(
    name="change",
    parameters=ChangeParameters,
    make=ChangeDetector,
    trial=ChangeParameters(),
    loss_steps=8,
)
