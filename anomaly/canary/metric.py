"""One metric of a comparison: what is asked of it, and how it came out. Pure.

The rules are those of Kayenta's judge: a metric is high or low when the whole confidence interval
of its shift lies beyond a tolerance, and the effect is not among those allowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from anomaly.canary.samples import Difference, difference
from collectors.model import FloatArray
from tocsin.client.wording import number

CONFIDENCE = 0.98
TOLERANCE = 0.25
"""Of the shift, so much must separate its interval from nothing."""
FEWEST = 5
"""Values that a sample must have, to be one."""


class Bad(StrEnum):
    """Which way a metric must not go."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


class Outcome(StrEnum):
    """How one metric came out."""

    PASS = "pass"  # noqa: S105 - no password
    HIGH = "high"
    LOW = "low"
    NODATA = "nodata"
    ERROR = "error"


class Effect(StrEnum):
    """By what the size of an effect is measured."""

    MEAN_RATIO = "mean_ratio"
    CLES = "cles"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """What is asked of one metric.

    Attributes:
        name: For people.
        group: Metrics of one group count together.
        bad: Which way it must not go.
        critical: Whether it alone fails the whole.
        must_have_data: Whether it fails, if critical, or counts as none when it has no data.
        effect: Measure of the size of an effect.
        allowed_increase: Effects up to this are no increase; 1.0 as a ratio, 0.5 as ``cles`` for
            none at all.
        allowed_decrease: Effects down to this are no decrease.
    """

    name: str
    group: str = "all"
    bad: Bad = Bad.EITHER
    critical: bool = False
    must_have_data: bool = False
    effect: Effect = Effect.MEAN_RATIO
    allowed_increase: float | None = None
    allowed_decrease: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """How one metric came out, and why.

    Attributes:
        rule: What was asked.
        outcome: The answer.
        reason: A sentence with the numbers.
        control: Values of the control that were compared.
        experiment: Values of the experiment.
        difference: What sets them apart; None without enough values.
    """

    rule: MetricRule
    outcome: Outcome
    reason: str
    control: int
    experiment: int
    difference: Difference | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a judgement at all."""
        return self.outcome in (Outcome.PASS, Outcome.HIGH, Outcome.LOW)

    @property
    def failed(self) -> bool:
        """Whether it is worse than the control."""
        return self.outcome in (Outcome.HIGH, Outcome.LOW)


def judge_metric(rule: MetricRule, control: FloatArray, experiment: FloatArray) -> MetricVerdict:
    """Compare the samples of one metric; NaN and infinite values are left out.

    Examples:
        >>> rule = MetricRule(name="errors", bad=Bad.INCREASE)
        >>> rng = np.random.default_rng(1)
        >>> judge_metric(rule, rng.normal(10, 1, 60), rng.normal(14, 1, 60)).outcome
        <Outcome.HIGH: 'high'>
        >>> judge_metric(rule, rng.normal(10, 1, 60), rng.normal(6, 1, 60)).outcome
        <Outcome.PASS: 'pass'>
    """
    control, experiment = control[np.isfinite(control)], experiment[np.isfinite(experiment)]
    verdict = partial(MetricVerdict, rule=rule, control=len(control), experiment=len(experiment))
    for name, sample in (("control", control), ("experiment", experiment)):
        if len(sample) < FEWEST:
            reason = f"the {name} has {len(sample)} values of at least {FEWEST}: not measured"
            return verdict(outcome=Outcome.NODATA, reason=reason)
    if len(np.unique(np.concatenate([control, experiment]))) == 1:
        same = f"both are {number(float(control[0]))} throughout"
        return verdict(outcome=Outcome.PASS, reason=same)
    found = difference(control, experiment, CONFIDENCE)
    outcome, why = _outcome(rule, found)
    words = (
        f"{_mean(experiment)} where the control has {_mean(control)}, shifted by "
        f"{number(found.shift)} ({CONFIDENCE:.0%} between {number(found.low)} and "
        f"{number(found.high)}): {why}"
    )
    return verdict(outcome=outcome, reason=words, difference=found)


def _mean(values: FloatArray) -> str:
    return f"{number(float(values.mean()))} on average"


def _outcome(rule: MetricRule, found: Difference) -> tuple[Outcome, str]:
    bound = TOLERANCE * abs(found.shift)
    size = found.superiority if rule.effect is Effect.CLES else found.mean_ratio
    none = 0.5 if rule.effect is Effect.CLES else 1.0
    up = none if rule.allowed_increase is None else rule.allowed_increase
    down = none if rule.allowed_decrease is None else rule.allowed_decrease
    # A control of nothing but zeros has no ratio: whatever comes there is an effect.
    known = not math.isnan(size)
    if found.low > bound:
        if rule.bad is Bad.DECREASE:
            return Outcome.PASS, "higher, which is not bad"
        if known and size <= up:
            return Outcome.PASS, f"higher, but an effect of {size:.2f} is within {up:.2f}"
        return Outcome.HIGH, "higher than chance explains"
    if found.high < -bound:
        if rule.bad is Bad.INCREASE:
            return Outcome.PASS, "lower, which is not bad"
        if known and size >= down:
            return Outcome.PASS, f"lower, but an effect of {size:.2f} is within {down:.2f}"
        return Outcome.LOW, "lower than chance explains"
    return Outcome.PASS, "no more than chance explains"
