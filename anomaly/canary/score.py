"""From the verdicts on metrics to one score: groups, their weights, thresholds. Pure.

A group scores the share of its metrics that pass, of those that could be judged. The whole is the
mean of the groups by their weights, 0 when a critical metric fails; groups without a weight share
what is left of 100. Without any judgement there is no score, which is no pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from anomaly.canary.metric import MetricVerdict, Outcome

PASS_SCORE, MARGINAL_SCORE = 95.0, 75.0


class Verdict(StrEnum):
    """What is to become of the experiment."""

    PASS = "pass"  # noqa: S105 - no password
    MARGINAL = "marginal"
    FAIL = "fail"
    NODATA = "nodata"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """Score of one group, 0 to 100, NaN where nothing in it could be judged, and its weight."""

    name: str
    score: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryResult:
    """The whole.

    Attributes:
        verdict: What is to become of it.
        score: 0 to 100; NaN where nothing could be judged.
        reason: Why, in a sentence.
        groups: Score of each group, in the order of their names.
        metrics: Verdict of each metric, in the order in which they were asked for.
    """

    verdict: Verdict
    score: float
    reason: str
    groups: tuple[GroupScore, ...]
    metrics: tuple[MetricVerdict, ...]


def score_of(
    metrics: Sequence[MetricVerdict],
    weights: Mapping[str, float] | None = None,
    *,
    pass_score: float = PASS_SCORE,
    marginal_score: float = MARGINAL_SCORE,
) -> CanaryResult:
    """Return the score and the verdict of some metrics.

    Args:
        metrics: Of all groups.
        weights: By group, of 100 in all; groups that are not in it share what they leave.
        pass_score: From here on it passes.
        marginal_score: From here on it is for a person to say.
    """
    groups = _groups(metrics, weights or {})
    judged = [group for group in groups if not math.isnan(group.score)]
    total = sum(group.weight for group in judged)
    score = sum(g.score * g.weight for g in judged) / total if total > 0 else math.nan
    verdict, reason = _verdict(score, pass_score, marginal_score)
    stopped = _stopped_by(metrics)
    if stopped:
        verdict, reason = Verdict.FAIL, stopped
        score = math.nan if math.isnan(score) else 0.0
    elif wrong := [one.rule.name for one in metrics if one.failed]:
        reason += f"; worse than the control: {', '.join(wrong)}"
    return CanaryResult(
        verdict=verdict, score=score, reason=reason, groups=groups, metrics=tuple(metrics)
    )


def _groups(
    metrics: Sequence[MetricVerdict], weights: Mapping[str, float]
) -> tuple[GroupScore, ...]:
    by_name: dict[str, list[MetricVerdict]] = {}
    for one in metrics:
        by_name.setdefault(one.rule.group, []).append(one)
    free = [name for name in by_name if name not in weights]
    left = max(0.0, 100.0 - sum(weights.get(name, 0.0) for name in by_name))
    return tuple(
        GroupScore(
            name=name,
            score=_share(by_name[name]),
            weight=weights[name] if name in weights else left / len(free),
        )
        for name in sorted(by_name)
    )


def _share(metrics: Sequence[MetricVerdict]) -> float:
    judged = [one for one in metrics if one.counts]
    if not judged:
        return math.nan
    return 100.0 * sum(one.outcome is Outcome.PASS for one in judged) / len(judged)


def _stopped_by(metrics: Sequence[MetricVerdict]) -> str:
    """Return why a critical metric fails the whole; "" when none does."""
    for one in metrics:
        if not one.rule.critical:
            continue
        if one.failed:
            return f"{one.rule.name} is critical and {one.outcome.value}: {one.reason}"
        if one.rule.must_have_data and not one.counts:
            return f"{one.rule.name} is critical and has no judgement: {one.reason}"
    return ""


def _verdict(score: float, pass_score: float, marginal_score: float) -> tuple[Verdict, str]:
    if math.isnan(score):
        return Verdict.NODATA, "nothing could be judged: not measured"
    if score >= pass_score:
        return Verdict.PASS, f"{score:.0f} of 100, and {pass_score:.0f} pass"
    if score >= marginal_score:
        between = (
            f"less than {pass_score:.0f}, which would pass, but no less than {marginal_score:.0f}"
        )
        return Verdict.MARGINAL, f"{score:.0f} of 100: {between}"
    return Verdict.FAIL, f"{score:.0f} of 100: less than {marginal_score:.0f}"
