"""Proportion: a part of something that is another part of it than before, weighed by how many.

Page's cumulative sum on the binomial log-likelihood ratio, for odds that are ``odds`` times what
they were (Steiner, Cook, Farewell and Treasure, "Monitoring surgical performance using
risk-adjusted cumulative sum charts", 2000). What is usual is shrunk towards the long run as a
beta-binomial does, so that a quiet night does not unlearn a busy day. One failure of one request
is 100 %, and next to nothing: nothing is told before ``min_events`` more, or fewer, than expected.
Parts that vary more than chance makes them count for less, see :mod:`anomaly.detectors.dispersion`.

``expr`` counts the part, ``of`` all of it, both per second: failures of requests, hits of lookups.
Where no traffic was there is no proportion: the state is ``low_volume``, neither good nor bad.

>>> import numpy as np
>>> detector = ProportionDetector(ProportionParameters(step_s=60.0))
>>> requests = np.full((80, 1), 2.0)  # 120 a step
>>> failures = np.random.default_rng(1).binomial(120, 0.01, (80, 1)) / 60
>>> failures[70:] = 0.2  # ten per cent
>>> found = detector.observe_steps(failures, 0, requests)
>>> int((found.phase[:70] == 2).sum()), bool((found.phase[73:] == 2).all())
(0, True)
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
from anomaly.detectors.anchor import followed
from anomaly.detectors.detector import SIDES, Improbable
from anomaly.detectors.dispersion import burstiness, learned_dispersion
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Columns, Verdicts, forget, note_alarms, note_score
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import SeriesDetector
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: steps learned from, forgetting sums of the part
# and of the whole, the long-run proportion, dispersion, then of the chart for more and of that for
# less: the sum, steps since it was 0, and the part and what was expected of it meanwhile.
_SEEN, _PART, _WHOLE, _LONG, _DISPERSION, _SUM = range(6)
_CHART = 4
_RUN, _IN_RUN, _USUAL = 1, 2, 3
_ROWS = _SUM + 2 * _CHART
_LEARNING_LIMIT = 0.5
_MAX_PROOF_STEPS = 24.0
_LEAST, _MOST = 1e-6, 1.0 - 1e-6


class _Settings(NamedTuple):
    """:class:`ProportionParameters` as numbers, for the kernel."""

    alarm: AlarmSettings
    side: int
    step_s: float
    odds: float
    evidence: float
    min_events: float
    shrink: float
    alpha: float
    anchor_alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionParameters(Parameters):
    """Settings of the proportion detector.

    Attributes:
        odds: Smallest change of the odds that is looked for: so many times, or a so-manieth.
        evidence: Log-likelihood ratio needed; false alarms come less than once in
            ``exp(evidence)`` steps.
        min_events: So many more (or fewer) than expected there must have been.
        shrink: How many events the long-run proportion counts for in what is usual.
    """

    odds: float = setting(3.0, 1.1, 1_000)
    evidence: float = setting(16.0, 1, 100)
    min_events: float = setting(5.0, 0, 1_000_000)
    shrink: float = setting(50.0, 0, 1_000_000)
    half_life_steps: float = setting(48.0, 1, 100_000)

    def as_numbers(self) -> _Settings:
        """Return what the kernel needs; evidence is confirmation enough, one step of it."""
        slow = self.anchor_alpha
        return _Settings(
            alarm=alarm_settings(self, confirm_steps=1, extreme=1.0),
            side=SIDES[self.direction],
            step_s=self.step_s,
            odds=self.odds,
            evidence=self.evidence,
            min_events=self.min_events,
            shrink=self.shrink,
            alpha=self.alpha,
            anchor_alpha=self.alpha if math.isnan(slow) else slow,
        )


@inlined
def _usual(state: FloatArray, i: int, settings: _Settings) -> float:
    """Return the usual proportion: of late, shrunk towards that of the long run."""
    prior = settings.shrink * state[_LONG, i]
    # Half an event of each kind, as Jeffreys has it: what never happened yet is not impossible.
    found = (state[_PART, i] + prior + 0.5) / (state[_WHOLE, i] + settings.shrink + 1.0)
    return float(min(_MOST, max(_LEAST, found)))


@inlined
def _gain(part: float, whole: float, usual: float, odds: float) -> float:
    """Return by how much likelier the part is with ``odds`` times the usual odds, as a log."""
    return part * math.log(odds) - whole * math.log(1.0 - usual + odds * usual)


@inlined
def _weigh(
    state: FloatArray,
    i: int,
    up: bool,
    part: float,
    whole: float,
    usual: float,
    settings: _Settings,
) -> float:
    """Add this step's evidence to a chart and return its score."""
    odds = settings.odds if up else 1.0 / settings.odds
    first = _SUM if up else _SUM + _CHART
    gain = _gain(part, whole, usual, odds) / burstiness(state[_DISPERSION, i], state[_SEEN, i])
    total = max(0.0, state[first, i] + gain)
    state[first, i] = total
    if total > 0.0:
        state[first + _RUN, i] += 1.0
        state[first + _IN_RUN, i] += part
        state[first + _USUAL, i] += whole * usual
    else:
        for row in range(first + _RUN, first + _CHART):
            state[row, i] = 0.0
    score = total / settings.evidence
    excess = state[first + _IN_RUN, i] - state[first + _USUAL, i]
    return min(score, 0.99) if (excess if up else -excess) < settings.min_events else float(score)


@inlined
def _still_off(part: float, whole: float, usual: float, up: bool, odds: float) -> float:
    """Return the score of a step of a series that is anomalous, by itself.

    A step without events proves nothing: it neither ends an anomaly nor prolongs it.
    """
    if whole * max(usual, part / max(whole, 1.0)) < 1.0:
        return 0.75
    return 1.0 if _gain(part, whole, usual, odds if up else 1.0 / odds) > 0.0 else 0.0


@inlined
def _learn(
    state: FloatArray, i: int, part: float, whole: float, usual: float, settings: _Settings
) -> None:
    seen = state[_SEEN, i] + 1.0
    state[_SEEN, i] = seen
    kept = 1.0 - settings.alpha
    state[_PART, i] = state[_PART, i] * kept + part
    state[_WHOLE, i] = state[_WHOLE, i] * kept + whole
    weight = max(settings.anchor_alpha, 1.0 / seen)
    state[_LONG, i] = followed(state[_LONG, i], part / whole, seen, weight)
    if seen > 2.0:
        variance = whole * usual * (1.0 - usual)
        squared = (part - whole * usual) ** 2 / max(variance, 1e-9)
        state[_DISPERSION, i] = learned_dispersion(state[_DISPERSION, i], squared, seen)


@inlined
def _too_few(whole: float, usual: float, settings: _Settings) -> bool:
    """Return whether even what is looked for would take too many steps to prove."""
    changed = usual * settings.odds / (1.0 - usual + usual * settings.odds)
    if settings.side < 0:
        changed = usual / (usual + (1.0 - usual) * settings.odds)
    odds = settings.odds if settings.side >= 0 else 1.0 / settings.odds
    return _gain(changed * whole, whole, usual, odds) * _MAX_PROOF_STEPS < settings.evidence


@inlined
def _judged(
    state: FloatArray, i: int, part: float, whole: float, was: bool, settings: _Settings
) -> float:
    """Return the score of a step, and note in the sums which side it is on."""
    usual = _usual(state, i, settings)
    if was:
        up = state[_SUM, i] >= state[_SUM + _CHART, i]
        return _still_off(part, whole, usual, up, settings.odds)
    score = 0.0
    if settings.side >= 0:
        score = _weigh(state, i, True, part, whole, usual, settings)
    if settings.side <= 0:
        score = max(score, _weigh(state, i, False, part, whole, usual, settings))
    return score


@inlined
def _note(
    j: int,
    i: int,
    score: float,
    whole: float,
    usual: float,
    columns: Columns,
    verdicts: Verdicts,
    settings: _Settings,
) -> None:
    """Write a judgement down, and let it move the alarm."""
    state, alarms = columns.state, columns.alarms
    was = alarms.phase[i] == ANOMALOUS
    noise = math.sqrt(whole * usual * (1.0 - usual) * max(1.0, state[_DISPERSION, i]))
    expected = usual * whole / settings.step_s
    note_score(j, i, score, expected, noise / settings.step_s, verdicts)
    judge(score, i, alarms, settings.alarm)
    if alarms.phase[i] == ANOMALOUS and not was:
        first = _SUM if state[_SUM, i] >= state[_SUM + _CHART, i] else _SUM + _CHART
        alarms.since[i] = max(1, int(state[first + _RUN, i]))
    elif was and alarms.phase[i] != ANOMALOUS:
        for row in range(_SUM, _ROWS):
            state[row, i] = 0.0
    elif not was and _too_few(whole, usual, settings):
        alarms.phase[i] = LOW_VOLUME
    if relearn(i, alarms, settings.alarm):
        forget(state, i)


@kernel
def _observe(
    values: FloatArray,
    volume: FloatArray,
    columns: Columns,
    verdicts: Verdicts,
    settings: _Settings,
) -> None:
    state, alarms = columns.state, columns.alarms
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            # A whole without a part is a part of nothing: who counts failures may never have any.
            whole = volume[j, i] * settings.step_s
            part = values[j, i] * settings.step_s if not math.isnan(values[j, i]) else 0.0
            if not has_value(part + whole, i, alarms, settings.alarm):
                continue
            if alarms.phase[i] == LOW_VOLUME:
                alarms.phase[i] = NORMAL
            was = alarms.phase[i] == ANOMALOUS
            whole = max(0.0, whole)
            part = min(whole, max(0.0, part))
            told = state[_SEEN, i] >= settings.alarm.min_steps
            if whole < 1.0:
                # Next to no traffic proves nothing, but is no gap either.
                if told and not was and alarms.phase[i] != WARMING_UP:
                    alarms.phase[i] = LOW_VOLUME
                continue
            usual, score = _usual(state, i, settings), math.nan
            if told:
                score = _judged(state, i, part, whole, was, settings)
                _note(j, i, score, whole, usual, columns, verdicts, settings)
            if alarms.phase[i] != ANOMALOUS and not score >= _LEARNING_LIMIT:
                _learn(state, i, part, whole, usual, settings)
        note_alarms(j, 0, values.shape[1], alarms, verdicts)


class ProportionDetector(SeriesDetector):
    """Part of a whole; both are rates per second, and become counts of a step."""

    def __init__(self, parameters: ProportionParameters) -> None:
        super().__init__(_ROWS)
        self._settings = parameters.as_numbers()

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> Improbable | None:
        """Without a whole nothing is known of a part."""
        return self._judge_part(values, values * math.nan, step, verdicts)

    def _judge_part(
        self, values: FloatArray, volume: FloatArray | None, step: int, verdicts: Verdicts
    ) -> Improbable | None:
        if volume is None:
            return self._judge(values, step, verdicts)
        _observe(values, volume, self._memory.columns, verdicts, self._settings)
        return None


DETECTOR = DetectorKind(
    name="proportion",
    parameters=ProportionParameters,
    make=ProportionDetector,
    trial=ProportionParameters(),
    volume=True,
)
