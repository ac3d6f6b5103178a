"""The judge: what a pipeline may rely on when it asks whether a new version is as good."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.canary.metric import Bad, Effect, MetricRule, MetricVerdict, Outcome, judge_metric
from anomaly.canary.samples import MAX_VALUES, difference
from anomaly.canary.score import Verdict, score_of
from collectors.model import FloatArray

RNG = np.random.default_rng(1)
CONTROL = RNG.normal(100, 5, 60)
MORE, LESS = RNG.normal(130, 5, 60), RNG.normal(70, 5, 60)
SAME, LITTLE = RNG.normal(100, 5, 60), RNG.normal(106, 5, 60)
NONE, ZEROS = np.full(60, np.nan), np.zeros(60)


def rule(name: str = "m", **fields: object) -> MetricRule:
    return MetricRule(name=name, **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("asked", "control", "experiment", "outcome"),
    [
        (rule(), CONTROL, SAME, Outcome.PASS),
        (rule(), CONTROL, MORE, Outcome.HIGH),
        (rule(), CONTROL, LESS, Outcome.LOW),
        (rule(bad=Bad.INCREASE), CONTROL, LESS, Outcome.PASS),
        (rule(bad=Bad.INCREASE), CONTROL, MORE, Outcome.HIGH),
        (rule(bad=Bad.DECREASE), CONTROL, MORE, Outcome.PASS),
        (rule(bad=Bad.DECREASE), CONTROL, LESS, Outcome.LOW),
        (rule(), CONTROL, LITTLE, Outcome.HIGH),
        (rule(allowed_increase=1.1), CONTROL, LITTLE, Outcome.PASS),
        (rule(allowed_increase=1.1), CONTROL, MORE, Outcome.HIGH),
        (rule(allowed_decrease=0.6), CONTROL, LESS, Outcome.PASS),
        (rule(effect=Effect.CLES, allowed_increase=0.95), CONTROL, LITTLE, Outcome.PASS),
        (rule(effect=Effect.CLES, allowed_increase=0.95), CONTROL, MORE, Outcome.HIGH),
        (rule(allowed_increase=9.0), ZEROS, MORE, Outcome.HIGH),
        (rule(), ZEROS, ZEROS, Outcome.PASS),
        (rule(), NONE, MORE, Outcome.NODATA),
        (rule(), CONTROL, NONE, Outcome.NODATA),
        (rule(), CONTROL, SAME[:4], Outcome.NODATA),
        (rule(), CONTROL, np.append(SAME, [np.inf, np.nan]), Outcome.PASS),
    ],
)
def test_one_metric(
    asked: MetricRule, control: FloatArray, experiment: FloatArray, outcome: Outcome
) -> None:
    """A worse version would pass, or a better one be rolled back."""
    found = judge_metric(asked, control, experiment)
    assert found.outcome is outcome, found.reason
    assert found.reason


def test_the_interval_is_that_of_others() -> None:
    """A verdict that other judges' numbers don't bear out is worth nothing."""
    stats = pytest.importorskip("scipy.stats")
    found = difference(CONTROL, LITTLE, 0.98)
    theirs = stats.mannwhitneyu(LITTLE, CONTROL, alternative="two-sided", method="asymptotic")
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-6)
    assert found.superiority == pytest.approx(theirs.statistic / 3_600)
    assert found.low < found.shift < found.high
    assert found.shift == pytest.approx(6, abs=2)


@given(st.integers(0, 10_000), st.floats(0.5, 50))
def test_equal_samples_seldom_differ(seed: int, scale: float) -> None:
    """The same on both sides never is certain to differ: at most two in a hundred by chance."""
    rng = np.random.default_rng(seed)
    same = rng.gamma(scale, 1.0, 40)
    found = judge_metric(rule(), same, rng.permutation(same))
    assert found.outcome is Outcome.PASS


def test_chance_is_kept_to_what_is_stated() -> None:
    """With two per cent by chance a pipeline of fifty metrics would stop each day otherwise."""
    rng = np.random.default_rng(3)
    pairs = [(rng.lognormal(0, 1, 60), rng.lognormal(0, 1, 60)) for _ in range(600)]
    failed = sum(judge_metric(rule(), one, other).failed for one, other in pairs)
    assert failed / len(pairs) <= 0.03


def test_many_values_are_bounded() -> None:
    """A sample of a million would take a terabyte of differences."""
    many = np.random.default_rng(2).normal(0, 1, 100 * MAX_VALUES)
    assert difference(many, many + 1, 0.98).shift == pytest.approx(1, abs=0.2)


def verdict(outcome: Outcome, group: str = "all", **fields: object) -> MetricVerdict:
    asked = rule(name=f"{group}-{outcome}", group=group, **fields)
    return MetricVerdict(rule=asked, outcome=outcome, reason="so", control=9, experiment=9)


PASS, HIGH, NODATA, ERROR = Outcome.PASS, Outcome.HIGH, Outcome.NODATA, Outcome.ERROR


@pytest.mark.parametrize(
    ("metrics", "weights", "score", "whole"),
    [
        ([verdict(PASS)] * 4, {}, 100.0, Verdict.PASS),
        ([verdict(PASS)] * 3 + [verdict(HIGH)], {}, 75.0, Verdict.MARGINAL),
        ([verdict(PASS)] * 2 + [verdict(HIGH)] * 2, {}, 50.0, Verdict.FAIL),
        ([verdict(PASS), verdict(NODATA), verdict(ERROR)], {}, 100.0, Verdict.PASS),
        ([verdict(NODATA)], {}, math.nan, Verdict.NODATA),
        ([verdict(PASS, "a"), verdict(HIGH, "b")], {"a": 80}, 80.0, Verdict.MARGINAL),
        ([verdict(PASS, "a"), verdict(HIGH, "b")], {}, 50.0, Verdict.FAIL),
        ([verdict(PASS, "a"), verdict(NODATA, "b")], {"b": 80}, 100.0, Verdict.PASS),
        ([verdict(PASS)] * 99 + [verdict(HIGH, critical=True)], {}, 0.0, Verdict.FAIL),
        ([verdict(PASS), verdict(NODATA, critical=True)], {}, 100.0, Verdict.PASS),
        (
            [verdict(PASS), verdict(NODATA, critical=True, must_have_data=True)],
            {},
            0.0,
            Verdict.FAIL,
        ),
    ],
)
def test_the_whole(
    metrics: list[MetricVerdict], weights: dict[str, float], score: float, whole: Verdict
) -> None:
    """Not measured is no pass, a critical metric is no average, and weights are heeded."""
    found = score_of(metrics, weights)
    assert found.verdict is whole
    assert found.score == pytest.approx(score, nan_ok=True)
    assert found.reason
