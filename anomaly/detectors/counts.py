"""Counts: a sudden fall (or rise) in how often something happens.

Page's cumulative sum test (1954) on the Poisson log-likelihood ratio (Lucas, "Counted data CUSUMs",
1985): with ``m`` events expected in a step and ``x`` seen, the evidence for "the rate is now
``change_to`` times what it was" grows by ``x ln(change_to) + m (1 - change_to)`` and never falls
below zero. There is neither a window nor a scale to tune: busy series are judged in one step,
sparse ones wait until there is enough evidence, and with the right baseline false alarms come less
than once in ``exp(evidence)`` steps (Lorden 1971). Traffic burstier than Poisson counts for less.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.detectors.alarm import (
    ANOMALOUS,
    LOW_VOLUME,
    NORMAL,
    WARMING_UP,
    AlarmArrays,
    judge,
    note_missing,
    note_present,
    relearn,
)
from anomaly.detectors.detector import Scores
from anomaly.detectors.level import forget
from anomaly.detectors.memory import SeriesMemory, Verdicts, note_alarms, scores_of
from anomaly.detectors.parameters import Parameters
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of the state array.
_SEEN, _RATE, _DISPERSION, _EVIDENCE, _RUN = range(5)
_ROWS = 5

# Judged too sparse when even a total loss would take more steps than this to prove.
_PATIENCE_STEPS = 24.0
# Learning pauses at this share of the evidence needed, so that a fall isn't learned as normal.
_SUSPICION = 0.3
_DISPERSION_WEIGHT = 0.02


@inlined
def _weigh(
    state: FloatArray,
    i: int,
    count: float,
    mean: float,
    anomalous: bool,
    change_to: float,
    evidence: float,
) -> float:
    """Add this step's evidence and return the score."""
    gain = count * math.log(change_to) + mean * (1.0 - change_to)
    gain /= _burstiness(state, i)
    if anomalous:
        # Once found, a step is judged by itself: nearer the change than the baseline?
        return 1.0 if gain > 0.0 else 0.0
    total = max(0.0, state[_EVIDENCE, i] + gain)
    state[_EVIDENCE, i] = total
    state[_RUN, i] = state[_RUN, i] + 1.0 if total > 0.0 else 0.0
    return float(total / evidence)


@inlined
def _burstiness(state: FloatArray, i: int) -> float:
    """Return variance over mean as far as it is proven: 1.0 for Poisson, more only when certain."""
    weight = max(_DISPERSION_WEIGHT, 1.0 / max(1.0, state[_SEEN, i] - 1.0))
    # The estimate's own standard error for Poisson counts; two of them are not held against it.
    error = math.sqrt(2.0 * weight / (2.0 - weight))
    return float(max(1.0, state[_DISPERSION, i] - 2.0 * error))


@inlined
def _learn(state: FloatArray, i: int, count: float, alpha: float) -> None:
    """Take ``count`` into the expected count and the dispersion (variance over mean)."""
    seen = state[_SEEN, i] + 1.0
    state[_SEEN, i] = seen
    mean = state[_RATE, i]
    if seen > 2.0 and mean > 0.0:
        # A deviation beyond 4 sigma says something about this step, not about the usual burstiness.
        squared = min(16.0, (count - mean) ** 2 / mean)
        weight = max(_DISPERSION_WEIGHT, 1.0 / (seen - 1.0))
        state[_DISPERSION, i] += weight * (squared - state[_DISPERSION, i])
    state[_RATE, i] = mean + max(alpha, 1.0 / seen) * (count - mean)


@kernel
def _observe(
    values: FloatArray,
    state: FloatArray,
    alarms: AlarmArrays,
    verdicts: Verdicts,
    step_s: float,
    min_steps: int,
    change_to: float,
    evidence: float,
    clear_steps: int,
    missing_steps: int,
    alpha: float,
    relearn_steps: int,
) -> None:
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            rate = values[j, i]
            if math.isnan(rate):
                note_missing(i, alarms, missing_steps)
                continue
            note_present(i, alarms)
            count = max(0.0, rate * step_s)
            score = math.nan
            if state[_SEEN, i] >= min_steps:
                mean = state[_RATE, i]
                was = alarms.phase[i] == ANOMALOUS
                score = _weigh(state, i, count, mean, was, change_to, evidence)
                verdicts.expected[j, i] = mean / step_s
                verdicts.scale[j, i] = math.sqrt(mean * state[_DISPERSION, i]) / step_s
                verdicts.score[j, i] = score
                if alarms.phase[i] == LOW_VOLUME or alarms.phase[i] == WARMING_UP:
                    alarms.phase[i] = NORMAL
                run = int(state[_RUN, i])
                judge(score, i, alarms, 1, 1.0, clear_steps)
                if alarms.phase[i] == ANOMALOUS and not was:
                    alarms.since[i] = max(1, run)
                elif was and alarms.phase[i] != ANOMALOUS:
                    state[_EVIDENCE, i] = 0.0
                    state[_RUN, i] = 0.0
                elif not was and mean * abs(1.0 - change_to) * _PATIENCE_STEPS < evidence:
                    alarms.phase[i] = LOW_VOLUME
                if relearn(i, alarms, relearn_steps):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not score >= _SUSPICION:
                _learn(state, i, count, alpha)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class CountsDetector:
    """Rate of events of each series; values are per second."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._memory = SeriesMemory(_ROWS)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        self._memory.grow(series)

    def observe(self, values: FloatArray, step: int) -> Scores:
        """Judge one rate a series, then learn from it unless it is suspect."""
        return self.observe_steps(values[np.newaxis], step).at(0)

    def observe_steps(self, values: FloatArray, step: int) -> Scores:
        """Judge each step, then learn from what is not suspect in it."""
        del step
        p, memory = self._parameters, self._memory
        verdicts = memory.verdicts(*values.shape)
        _observe(
            values,
            memory.state,
            memory.alarms,
            verdicts,
            p.step_s,
            p.min_steps,
            p.change_to,
            p.evidence,
            p.clear_steps,
            p.missing_steps,
            p.alpha,
            p.relearn_steps,
        )
        return scores_of(verdicts)
