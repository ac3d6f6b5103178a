"""Level: a robust moving average with a noise floor.

What is expected is the level of :mod:`anomaly.detectors.residual`, which says where it comes from.
A decline that the level follows down is told against the :mod:`anomaly.detectors.anchor`.
"""

from __future__ import annotations

import math

from anomaly.detectors.alarm import ANOMALOUS, has_value, judge, relearn
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.lone import LONE_ROWS, unless_lone
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.residual import (
    LEVEL,
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
from anomaly.detectors.series_detector import KernelDetector
from collectors.kernel import kernel
from collectors.model import FloatArray


@kernel
def _observe(
    values: FloatArray,
    columns: Columns,
    verdicts: Verdicts,
    settings: ResidualSettings,
) -> None:
    state, alarms = columns.state, columns.alarms
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[j, i]
            if not has_value(x, i, alarms, settings.alarm):
                continue
            score = math.nan
            if state[SEEN, i] >= settings.alarm.min_steps:
                expected, noise = state[LEVEL, i], noise_of(state, i, settings)
                score = excess(x, expected, noise, settings)
                note_score(j, i, score, expected, noise, verdicts)
                told = unless_lone(score, i, ROWS, state, alarms, settings.alarm.extreme)
                judge(told, i, alarms, settings.alarm)
                if relearn(i, alarms, settings.alarm):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not score >= 1.0:
                if slow_loss(x, 0.0, i, state, settings) >= 1.0:
                    # The next steps are judged against what was usual before the decline.
                    back_to_anchor(state, i)
                else:
                    learn(state, i, x, settings)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class LevelDetector(KernelDetector):
    """Robust level of each series; for signals without a season worth modelling."""

    rows = ROWS + LONE_ROWS
    kernel = staticmethod(_observe)


DETECTOR = DetectorKind(
    name="level", parameters=ResidualParameters, make=LevelDetector, trial=ResidualParameters()
)
