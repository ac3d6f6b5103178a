"""The detector: novelty of each series as alarms that begin, last and end.

The parts and the order of their work are those of :mod:`anomaly.detectors.novelty`. Ranking among
what was seen needs no scale (conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic
Learning in a Random World", 2005; Laxhammar and Falkman, "Conformal prediction for distribution-
independent anomaly detection", 2010); the distance to the nearest of a few remembered pairs is the
nearest-neighbour conformity measure of Burnaev and Ishimtsev (2016); improbabilities are added as
Fisher (1925) does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import (
    ANOMALOUS,
    alarm_settings,
    has_value,
    judge,
    relearn,
)
from anomaly.detectors.detector import SIDES, Improbable
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, note_score
from anomaly.detectors.novelty.budget import rate_at, threshold_for
from anomaly.detectors.novelty.day import DAY_S
from anomaly.detectors.novelty.lasting import distance_then, end_well, usual_then
from anomaly.detectors.novelty.paging import NO_PAGE
from anomaly.detectors.novelty.pipeline import Judged, NoveltySettings, follow
from anomaly.detectors.novelty.row import LEARNED, SEEN, WHY
from anomaly.detectors.novelty.rows import RowBlock, Rows
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import SeriesDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

_FURTHEST = 1e18
"""Squares of differences must fit into single precision."""
_ALMOST = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyParameters(Parameters):
    """Settings of the novelty detector.

    Attributes:
        false_alarms_per_week: How many false alarms of one series in a week are put up with.
        hold_steps: For how many steps an alarm is held: what comes meanwhile decides.
        min_change: Smallest difference that counts, as a share of what is usual.
        always_beyond: So many times the usual size of a residual are told at once, and each time
            again, for lines whose faults repeat; 0 to tell only what is new.
        reach_days: How many days of the past are learned again at a start.
    """

    min_steps: int = setting(200, 2, 100_000)
    false_alarms_per_week: float = setting(1.0, 0.001, 10_000)
    hold_steps: int = setting(6, 0, 1_000)
    min_change: float = setting(0.005, 0, 10)
    always_beyond: float = setting(0.0, 0, 1_000)
    reach_days: float = setting(1.0, 0, 30)
    # What forgets here does so by the number of values, and what is usual has no anchor.
    half_life_steps: float = 12.0
    anchor_half_lives: float = 0.0

    @property
    def reach_steps(self) -> int:
        """Some days: what is new is told from what is old."""
        return max(self.min_steps, round(self.reach_days * DAY_S / self.step_s))

    @property
    def stated_rate(self) -> float:
        """The budget, a step; what the highest threshold lets pass where it can't be kept."""
        return rate_at(threshold_for(self.false_alarms_per_week, self.step_s))

    def as_numbers(self) -> NoveltySettings:
        """Return what kernels need; having been held is confirmation enough."""
        return NoveltySettings(
            alarm=alarm_settings(self, confirm_steps=1, extreme=1.0),
            side=SIDES[self.direction],
            min_change=self.min_change,
            hold=float(self.hold_steps),
            threshold=threshold_for(self.false_alarms_per_week, self.step_s),
            always=self.always_beyond,
        )


@inlined
def _score(judged: Judged, settings: NoveltySettings) -> float:
    """Return the score of a series that is not anomalous: 1.0 and more for a page."""
    if judged.page > NO_PAGE or judged.repeated >= 1.0:
        return max(0.0, judged.repeated, judged.page / settings.threshold)
    return min(_ALMOST, max(0.0, judged.repeated, judged.surprise / settings.threshold))


@kernel
def _observe(
    values: FloatArray,
    days: FloatArray,
    block: RowBlock,
    columns: Columns,
    verdicts: Verdicts,
    why: Improbable,
    settings: NoveltySettings,
) -> None:
    alarms, rows = columns.alarms, block.rows
    for at in range(block.begin, block.end):
        i = at - block.begin
        for j in range(values.shape[0]):
            given = values[j, at]
            if has_value(given, at, alarms, settings.alarm):
                if rows[i, SEEN] == 0.0:
                    block.first[i] = given
                first = block.first[i]
                x = min(_FURTHEST, max(-_FURTHEST, given - first))
                told = rows[i, LEARNED] >= settings.alarm.min_steps
                lasting = told and alarms.phase[at] == ANOMALOUS
                judged = follow(rows, i, x, first, days[j], lasting, settings)
                noise = judged.noise
                then = usual_then(rows, i, days[j])
                if lasting:
                    floor = max(1e-12, max(1e-6, settings.min_change) * abs(then + first))
                    off = distance_then(rows, i, x, then, settings.side, floor)
                    note_score(j, at, off, then + first, noise, verdicts)
                    judge(off, at, alarms, settings.alarm)
                    why.residual[j, at] = rows[i, WHY]
                    why.pattern[j, at] = rows[i, WHY + 1]
                    why.quiet[j, at] = rows[i, WHY + 2]
                    if relearn(at, alarms, settings.alarm):
                        rows[i, LEARNED] = 0.0
                    elif alarms.phase[at] != ANOMALOUS:
                        end_well(rows, i)
                elif told:
                    score = _score(judged, settings)
                    note_score(j, at, score, judged.usual + first, noise, verdicts)
                    judge(score, at, alarms, settings.alarm)
                    why.residual[j, at] = judged.residual
                    why.pattern[j, at] = judged.pattern
                    why.quiet[j, at] = judged.quiet
                    if alarms.phase[at] == ANOMALOUS:
                        if judged.repeated < 1.0:
                            alarms.since[at] = int(settings.hold) + 1
                        verdicts.expected[j, at] = then + first
                        why.residual[j, at] = rows[i, WHY]
                        why.pattern[j, at] = rows[i, WHY + 1]
                        why.quiet[j, at] = rows[i, WHY + 2]
            verdicts.phase[j, at] = alarms.phase[at]
            verdicts.since[j, at] = alarms.since[at]


class NoveltyDetector(SeriesDetector):
    """What each series has never done before; speaks after ``min_steps`` values."""

    def __init__(self, parameters: NoveltyParameters) -> None:
        super().__init__(0)
        self._settings = parameters.as_numbers()
        self._step_s = parameters.step_s
        self._rows = Rows()

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        super().grow(series)
        self._rows.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        super().forget(series)
        self._rows.forget(series)

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> Improbable:
        why = Improbable(*(np.full(values.shape, np.nan, dtype=np.float32) for _ in range(3)))
        steps = np.arange(step, step + len(values), dtype=np.float64)
        days: FloatArray = np.mod(steps * self._step_s, DAY_S) / DAY_S
        for block in self._rows.blocks(values.shape[1]):
            _observe(values, days, block, self._memory.columns, verdicts, why, self._settings)
        return why


DETECTOR = DetectorKind(
    name="novelty",
    parameters=NoveltyParameters,
    make=NoveltyDetector,
    trial=NoveltyParameters(min_steps=12, hold_steps=1, false_alarms_per_week=50.0),
)
