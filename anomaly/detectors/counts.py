"""Counts: a sudden fall (or rise) in how often something happens.

Page's cumulative sum test (1954) on the Poisson log-likelihood ratio (Lucas, "Counted data CUSUMs",
1985): with ``m`` events expected in a step and ``x`` seen, the evidence for "the rate is now
``change_to`` times what it was" grows by ``x ln(change_to) + m (1 - change_to)`` and never falls
below zero. There is neither a window nor a scale to tune: busy series are judged in one step,
sparse ones wait until there is enough evidence, and with the right baseline false alarms come less
than once in ``exp(evidence)`` steps (Lorden 1971). Traffic burstier than Poisson counts for less.
A decline that the expected count follows down is told against the :mod:`anomaly.detectors.anchor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from anomaly.detectors.alarm import (
    ANOMALOUS,
    LOW_VOLUME,
    NORMAL,
    WARMING_UP,
    AlarmSettings,
    alarm_settings,
    has_value,
    judge,
    relearn,
)
from anomaly.detectors.anchor import followed, lost_share
from anomaly.detectors.detector import Direction
from anomaly.detectors.dispersion import burstiness, learned_dispersion
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import KernelDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: steps learned from, expected count, variance
# over mean, evidence gathered so far and in how many steps, and the anchor of the expected count.
_SEEN, _RATE, _DISPERSION, _EVIDENCE, _RUN, _ANCHOR = range(6)
_ROWS = 6

# Judged too sparse when even a total loss would take more steps than this to prove.
_MAX_PROOF_STEPS = 24.0
# Learning pauses at this share of the evidence needed, so that a fall isn't learned as normal.
_LEARNING_LIMIT = 0.3
_ANCHOR_SIGMAS = 3.0


class _Settings(NamedTuple):
    """:class:`CountsParameters` as numbers, for the kernel."""

    alarm: AlarmSettings
    step_s: float
    change_to: float
    evidence: float
    alpha: float
    anchor_alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsParameters(Parameters):
    """Settings of the counts detector.

    Attributes:
        change_to: What is looked for, as a share of the expected rate.
        evidence: Log-likelihood ratio needed; false alarms come less than once in
            ``exp(evidence)`` steps.
    """

    change_to: float = setting(0.3, 0.01, 100)
    evidence: float = setting(16.0, 1, 100)

    def contradiction(self) -> tuple[str, str] | None:
        """One rule looks for a fall or for a rise, and ``change_to`` must be on that side."""
        if self.direction is Direction.BOTH:
            return "direction", "must be low or high for counts: write two rules for both"
        falls = self.change_to < 1
        if falls is not (self.direction is Direction.LOW) or self.change_to == 1:
            return "change_to", "must be below 1 for direction low and above 1 for high"
        return None

    def as_numbers(self) -> _Settings:
        """Return what the kernel needs; evidence is confirmation enough, one step of it."""
        return _Settings(
            alarm=alarm_settings(self, confirm_steps=1, extreme=1.0),
            step_s=self.step_s,
            change_to=self.change_to,
            evidence=self.evidence,
            alpha=self.alpha,
            anchor_alpha=self.anchor_alpha,
        )


@inlined
def _weigh(
    state: FloatArray, i: int, count: float, mean: float, anomalous: bool, settings: _Settings
) -> float:
    """Add this step's evidence and return the score."""
    gain = count * math.log(settings.change_to) + mean * (1.0 - settings.change_to)
    gain /= burstiness(state[_DISPERSION, i], state[_SEEN, i])
    if anomalous:
        # Once found, a step is judged by itself: nearer what is looked for than the baseline?
        return 1.0 if gain > 0.0 else 0.0
    total = max(0.0, state[_EVIDENCE, i] + gain)
    state[_EVIDENCE, i] = total
    state[_RUN, i] = state[_RUN, i] + 1.0 if total > 0.0 else 0.0
    return float(total / settings.evidence)


@inlined
def _slow_loss(state: FloatArray, i: int, count: float, settings: _Settings) -> float:
    """Return how much of the count of some time ago is lost, 1.0 for what is looked for.

    This only says against what the next steps are weighed: it takes their evidence to tell.
    """
    if settings.change_to >= 1.0 or math.isnan(settings.anchor_alpha):
        return 0.0
    if state[_SEEN, i] < settings.alarm.min_steps:
        return 0.0
    anchor = state[_ANCHOR, i]
    noise = _ANCHOR_SIGMAS * math.sqrt(anchor * max(1.0, state[_DISPERSION, i]))
    return lost_share(count, anchor, noise, 1.0 - settings.change_to)


@inlined
def _learn(state: FloatArray, i: int, count: float, settings: _Settings) -> None:
    """Take ``count`` into the expected count and the dispersion (variance over mean)."""
    seen = state[_SEEN, i] + 1.0
    state[_SEEN, i] = seen
    mean = state[_RATE, i]
    if seen > 2.0 and mean > 0.0:
        squared = (count - mean) ** 2 / mean
        state[_DISPERSION, i] = learned_dispersion(state[_DISPERSION, i], squared, seen)
    state[_RATE, i] = mean + max(settings.alpha, 1.0 / seen) * (count - mean)
    if not math.isnan(settings.anchor_alpha):
        state[_ANCHOR, i] = followed(state[_ANCHOR, i], count, seen, settings.anchor_alpha)


@inlined
def _too_sparse(mean: float, settings: _Settings) -> bool:
    """Return whether even what is looked for would take too many steps to prove."""
    gain = mean * abs(1.0 - settings.change_to)
    return gain * _MAX_PROOF_STEPS < settings.evidence


@kernel
def _observe(
    values: FloatArray,
    columns: Columns,
    verdicts: Verdicts,
    settings: _Settings,
) -> None:
    state, alarms = columns.state, columns.alarms
    step_s = settings.step_s
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            rate = values[j, i]
            if not has_value(rate, i, alarms, settings.alarm):
                continue
            count = max(0.0, rate * step_s)
            score = math.nan
            if state[_SEEN, i] >= settings.alarm.min_steps:
                mean = state[_RATE, i]
                was = alarms.phase[i] == ANOMALOUS
                score = _weigh(state, i, count, mean, was, settings)
                noise = math.sqrt(mean * state[_DISPERSION, i]) / step_s
                note_score(j, i, score, mean / step_s, noise, verdicts)
                if alarms.phase[i] == LOW_VOLUME or alarms.phase[i] == WARMING_UP:
                    alarms.phase[i] = NORMAL
                run = int(state[_RUN, i])
                judge(score, i, alarms, settings.alarm)
                if alarms.phase[i] == ANOMALOUS and not was:
                    alarms.since[i] = max(1, run)
                elif was and alarms.phase[i] != ANOMALOUS:
                    state[_EVIDENCE, i] = 0.0
                    state[_RUN, i] = 0.0
                elif not was and _too_sparse(mean, settings):
                    alarms.phase[i] = LOW_VOLUME
                if relearn(i, alarms, settings.alarm):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not score >= _LEARNING_LIMIT:
                if _slow_loss(state, i, count, settings) >= 1.0:
                    # The next steps are judged against what was usual before the decline.
                    state[_RATE, i] = state[_ANCHOR, i]
                else:
                    _learn(state, i, count, settings)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class CountsDetector(KernelDetector):
    """Rate of events of each series; values are per second."""

    rows = _ROWS
    kernel = staticmethod(_observe)


DETECTOR = DetectorKind(
    name="counts",
    parameters=CountsParameters,
    make=CountsDetector,
    trial=CountsParameters(direction=Direction.LOW),
)
