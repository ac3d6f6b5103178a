"""Flat: a line that stands still, and one that no longer comes.

What hangs goes on saying its last number: a sensor that is stuck, an exporter that serves a cached
page. How often neighbouring values are equal is learned; a run of equal ones is as improbable as
that share to the power of its length (a test of runs: Wald and Wolfowitz, 1940), and must be longer
than any seen before. A line that never moves is therefore never told of. How long the gaps of a
line usually are is learned alike: one that comes every tenth step is not missing after three.

Use it beside a detector of levels for gauges that always move a little: temperatures, latencies,
bytes. It says nothing of a line that moves, wherever to.

>>> import numpy as np
>>> detector = FlatDetector(FlatParameters())
>>> values = np.random.default_rng(1).normal(100, 5, (100, 1))
>>> values[80:] = values[80]
>>> found = detector.observe_steps(values, 0)
>>> int((found.phase[:80] == 2).sum()), bool((found.phase[86:] == 2).all())
(0, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from anomaly.detectors.alarm import (
    ANOMALOUS,
    FURTHEST,
    AlarmSettings,
    alarm_settings,
    has_value,
    judge,
    relearn,
)
from anomaly.detectors.detector import Manner
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import KernelDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: values learned from, the newest one, length of
# the run of equal ones; of the runs that have ended their steps, the repeats in these, and the
# longest; the longest gap; mean of the values and of their distance from it.
_SEEN, _LAST, _RUN, _STEPS, _REPEATS, _LONGEST, _GAP, _LEVEL, _SPREAD = range(9)
_ROWS = 9
_MIN_RUN = 5.0
_LONGER = 2.0
"""How many times longer than any before a run, or a gap, must be."""
_FORGOTTEN = 0.9995
_EQUAL = 1e-9
_STILL = int(Manner.STILL)


class _Settings(NamedTuple):
    """:class:`FlatParameters` as numbers, for the kernel."""

    alarm: AlarmSettings
    evidence: float
    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatParameters(Parameters):
    """Settings of the flat detector; ``direction`` does not matter to it.

    Attributes:
        evidence: Log-likelihood ratio needed: the run is as improbable as ``exp(-evidence)``.
    """

    evidence: float = setting(20.0, 1, 100)
    min_steps: int = setting(60, 2, 100_000)
    anchor_half_lives: float = 0.0

    def as_numbers(self) -> _Settings:
        """Return what the kernel needs."""
        alarm = alarm_settings(self, confirm_steps=1, extreme=1.0)
        return _Settings(alarm, self.evidence, self.alpha)


@inlined
def _surprise(state: FloatArray, i: int, settings: _Settings) -> float:
    """Return how improbable the run of equal values is, 1.0 for improbable enough."""
    run = state[_RUN, i]
    if state[_STEPS, i] < settings.alarm.min_steps:
        return 0.0  # it hardly ever moved yet: standing still is what it does
    share = (state[_REPEATS, i] + 0.5) / (state[_STEPS, i] + 1.0)
    share += 2.0 * math.sqrt(share * (1.0 - share) / (state[_STEPS, i] + 1.0))
    score = -(run - 1.0) * math.log(min(1.0, share)) / settings.evidence
    if run < _MIN_RUN or run <= _LONGER * state[_LONGEST, i]:
        return float(min(0.99, max(0.0, score)))
    return float(max(0.0, score))


@inlined
def _learn(state: FloatArray, i: int, x: float, ended: float, settings: _Settings) -> None:
    """Take in a value, and the length of the run that ended with it, 0 for none."""
    state[_SEEN, i] += 1.0
    if ended == 0.0 and state[_SEEN, i] > 1.0:
        return  # what may be hanging says nothing of where the line usually is
    state[_LONGEST, i] = max(state[_LONGEST, i] * _FORGOTTEN, ended)
    if ended > 0.0:
        kept = _FORGOTTEN**ended
        state[_STEPS, i] = state[_STEPS, i] * kept + ended
        state[_REPEATS, i] = state[_REPEATS, i] * kept + ended - 1.0
    weight = max(settings.alpha, 1.0 / state[_SEEN, i])
    off = x - state[_LEVEL, i]
    state[_LEVEL, i] += weight * off
    state[_SPREAD, i] += weight * (abs(off) - state[_SPREAD, i])


@inlined
def _is_there(x: float, i: int, state: FloatArray, columns: Columns, settings: _Settings) -> bool:
    """Return whether there is a value; a gap is missing when it is longer than is usual."""
    alarms = columns.alarms
    if not abs(x) <= FURTHEST:
        usual = _LONGER * state[_GAP, i]
        if alarms.missing[i] + 1.0 <= usual:
            alarms.missing[i] += 1
            return False
    else:
        state[_GAP, i] = max(state[_GAP, i] * _FORGOTTEN, float(alarms.missing[i]))
    return bool(has_value(x, i, alarms, settings.alarm))


@kernel
def _observe(values: FloatArray, columns: Columns, verdicts: Verdicts, settings: _Settings) -> None:
    state, alarms = columns.state, columns.alarms
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[j, i]
            if not _is_there(x, i, state, columns, settings):
                continue
            last = state[_LAST, i]
            repeated = state[_SEEN, i] > 0.0 and abs(x - last) <= _EQUAL * abs(last)
            ended = 0.0 if repeated else state[_RUN, i]
            state[_RUN, i] = state[_RUN, i] + 1.0 if repeated else 1.0
            was = alarms.phase[i] == ANOMALOUS
            if state[_SEEN, i] >= settings.alarm.min_steps:
                score = (1.0 if repeated else 0.0) if was else _surprise(state, i, settings)
                note_score(j, i, score, state[_LEVEL, i], state[_SPREAD, i], verdicts)
                judge(score, i, alarms, settings.alarm)
                if alarms.phase[i] == ANOMALOUS:
                    if not was:
                        alarms.since[i] = int(state[_RUN, i])
                    verdicts.manner[j, i] = _STILL
                if relearn(i, alarms, settings.alarm):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not was:
                _learn(state, i, x, ended, settings)
            state[_LAST, i] = x
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class FlatDetector(KernelDetector):
    """Whether each series still moves, and still comes."""

    rows = _ROWS
    kernel = staticmethod(_observe)


DETECTOR = DetectorKind(
    name="flat", parameters=FlatParameters, make=FlatDetector, trial=FlatParameters(), loss_steps=14
)
