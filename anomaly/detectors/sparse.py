"""Sparse: events so rare that most steps have none, told by how many come close together.

How often events come is a gamma belief that forgets (West and Harrison, "Bayesian Forecasting and
Dynamic Models", 1997), which makes the count of the next steps negative-binomial: no rate is ever
certain, and zeros in abundance are expected. How improbable a count of the newest 1, 4 and 12 steps
is, is bounded by Chernoff's inequality (1952). The silence since the newest event is judged alike.
A lone event among zeros is no burst, however improbable: ``min_events`` says how many it takes.
Bursts that are usual count for less, see :mod:`anomaly.detectors.dispersion`.

Use it for what seldom happens: restarts, payments that fail, out-of-memory kills, a nightly job.
Where every step has events, ``counts`` is quicker.

>>> import numpy as np
>>> detector = SparseDetector(SparseParameters(min_steps=100, step_s=60.0))
>>> restarts = np.zeros((320, 1))
>>> restarts[[40, 150, 260]] = 1 / 60
>>> restarts[300:304] = 2 / 60  # two a minute
>>> found = detector.observe_steps(restarts, 0)
>>> int((found.phase[:300] == 2).sum()), bool((found.phase[302:304] == 2).all())
(0, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from anomaly.detectors.alarm import (
    ANOMALOUS,
    AlarmSettings,
    alarm_settings,
    has_value,
    judge,
    relearn,
)
from anomaly.detectors.detector import SIDES
from anomaly.detectors.dispersion import burstiness, learned_dispersion
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import KernelDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: steps learned from, forgetting sums of events
# and of steps, dispersion of the counts of blocks, events and steps of the block that is filling,
# steps since the newest event, then the counts of the newest steps, the newest first.
_SEEN, _EVENTS, _STEPS, _DISPERSION, _BLOCK, _IN_BLOCK, _SILENCE, _RING = range(8)
_WINDOW = 12
_ROWS = _RING + _WINDOW
_WINDOWS = (1, 4, _WINDOW)
_LEARNING_LIMIT = 0.6


class _Settings(NamedTuple):
    """:class:`SparseParameters` as numbers, for the kernel."""

    alarm: AlarmSettings
    side: int
    step_s: float
    evidence: float
    min_events: float
    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseParameters(Parameters):
    """Settings of the sparse detector.

    Attributes:
        evidence: How improbable it must be: a count beyond comes with less than
            ``exp(-evidence)``.
        min_events: So many events must have come together, or be overdue.
    """

    evidence: float = setting(16.0, 1, 100)
    min_events: float = setting(3.0, 1, 1_000)
    min_steps: int = setting(200, 2, 100_000)
    half_life_steps: float = setting(1_000.0, 1, 1_000_000)
    anchor_half_lives: float = 0.0

    def as_numbers(self) -> _Settings:
        """Return what the kernel needs; being improbable is confirmation enough."""
        return _Settings(
            alarm=alarm_settings(self, confirm_steps=1, extreme=1.0),
            side=SIDES[self.direction],
            step_s=self.step_s,
            evidence=self.evidence,
            min_events=self.min_events,
            alpha=self.alpha,
        )


@inlined
def _improbable(count: float, mean: float, sure: float) -> float:
    """Return Chernoff's bound of a count this far from its mean or farther, minus its logarithm.

    Args:
        count: Seen.
        mean: Expected, above 0.
        sure: How many events the belief in it rests on: the shape of the gamma distribution.
    """
    found = -(count + sure) * math.log((count + sure) / (mean + sure))
    if count > 0.0:
        found += count * math.log(count / mean)
    return max(0.0, found)


@inlined
def _score_of(count: float, steps: float, rate: float, sure: float, settings: _Settings) -> float:
    mean = max(1e-9, rate * steps)
    off = count - mean
    if (settings.side > 0 and off < 0.0) or (settings.side < 0 and off > 0.0):
        return 0.0
    score = _improbable(count, mean, sure) / settings.evidence
    enough = count >= settings.min_events if off > 0.0 else mean >= settings.min_events
    return score if enough else min(0.5, score)


@inlined
def _score(state: FloatArray, i: int, settings: _Settings) -> float:
    """Return the highest score of the newest windows and of the silence."""
    bursty = burstiness(state[_DISPERSION, i], state[_SEEN, i] / _WINDOW)
    events, steps = state[_EVENTS, i] + 0.5, max(1.0, state[_STEPS, i])
    sure = events / bursty
    best, total, window = 0.0, 0.0, 0
    for at in range(_WINDOW):
        total += state[_RING + at, i]
        if at + 1 == _WINDOWS[window]:
            rate = events / steps / bursty
            if at < state[_SEEN, i]:
                best = max(best, _score_of(total / bursty, at + 1.0, rate, sure, settings))
            window += 1
    silence = state[_SILENCE, i]
    if silence > 0.0:
        best = max(best, _score_of(0.0, silence, events / steps / bursty, sure, settings))
    return float(best)


@inlined
def _push(state: FloatArray, i: int, count: float) -> None:
    for at in range(_WINDOW - 1, 0, -1):
        state[_RING + at, i] = state[_RING + at - 1, i]
    state[_RING, i] = count
    state[_SILENCE, i] = 0.0 if count > 0.0 else state[_SILENCE, i] + 1.0


@inlined
def _learn(state: FloatArray, i: int, count: float, settings: _Settings) -> None:
    state[_SEEN, i] += 1.0
    kept = 1.0 - settings.alpha
    state[_BLOCK, i] += count
    state[_IN_BLOCK, i] += 1.0
    if state[_IN_BLOCK, i] >= _WINDOW:
        mean = max(1e-9, _WINDOW * state[_EVENTS, i] / max(1.0, state[_STEPS, i]))
        blocks = state[_SEEN, i] / _WINDOW
        if blocks > 2.0:
            squared = (state[_BLOCK, i] - mean) ** 2 / mean
            state[_DISPERSION, i] = learned_dispersion(state[_DISPERSION, i], squared, blocks)
        state[_BLOCK, i] = 0.0
        state[_IN_BLOCK, i] = 0.0
    state[_EVENTS, i] = state[_EVENTS, i] * kept + count
    state[_STEPS, i] = state[_STEPS, i] * kept + 1.0


@inlined
def _still_off(state: FloatArray, i: int, count: float, settings: _Settings) -> float:
    """Return whether a series that is anomalous goes on: over the newest four steps."""
    rate = (state[_EVENTS, i] + 0.5) / max(1.0, state[_STEPS, i])
    lately = 0.0
    for at in range(4):
        lately += state[_RING + at, i]
    if state[_SILENCE, i] > 4.0 and rate * 4.0 < settings.min_events and settings.side <= 0:
        return 1.0 if rate * state[_SILENCE, i] >= settings.min_events else 0.0
    if count > 0.0 and rate < 1.0 and settings.side < 0:
        return 0.0
    high, low = lately > 4.0 * rate * 2.0 + 1.0, lately < 4.0 * rate / 2.0 - 1.0
    return 1.0 if (high and settings.side >= 0) or (low and settings.side <= 0) else 0.0


@kernel
def _observe(values: FloatArray, columns: Columns, verdicts: Verdicts, settings: _Settings) -> None:
    state, alarms = columns.state, columns.alarms
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[j, i]
            if not has_value(x, i, alarms, settings.alarm):
                continue
            count = max(0.0, x * settings.step_s)
            _push(state, i, count)
            score, was = math.nan, alarms.phase[i] == ANOMALOUS
            if state[_SEEN, i] >= settings.alarm.min_steps:
                rate = (state[_EVENTS, i] + 0.5) / max(1.0, state[_STEPS, i])
                score = _still_off(state, i, count, settings) if was else _score(state, i, settings)
                noise = math.sqrt(rate * max(1.0, state[_DISPERSION, i]))
                note_score(j, i, score, rate / settings.step_s, noise / settings.step_s, verdicts)
                judge(score, i, alarms, settings.alarm)
                if was and alarms.phase[i] != ANOMALOUS:
                    for at in range(_WINDOW):  # what is over must not begin again
                        state[_RING + at, i] = rate
                if relearn(i, alarms, settings.alarm):
                    forget(state, i)
            if alarms.phase[i] != ANOMALOUS and not score >= _LEARNING_LIMIT:
                _learn(state, i, count, settings)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class SparseDetector(KernelDetector):
    """Rare events of each series; values are per second."""

    rows = _ROWS
    kernel = staticmethod(_observe)


DETECTOR = DetectorKind(
    name="sparse",
    parameters=SparseParameters,
    make=SparseDetector,
    trial=SparseParameters(),
)
