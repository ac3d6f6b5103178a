"""Shapes of the answer of a comparison, as :mod:`shapes` has the others."""

from __future__ import annotations

from typing import Literal, TypedDict


class SampleDifference(TypedDict):
    """What sets two samples apart; ``mean_ratio`` is null where the control's mean is 0."""

    shift: float
    low: float
    high: float
    p_value: float
    superiority: float
    mean_ratio: float | None


class ComparedMetric(TypedDict):
    """One metric; ``difference`` is null without enough values."""

    name: str
    group: str
    critical: bool
    outcome: Literal["pass", "high", "low", "nodata", "error"]
    reason: str
    control_values: int
    experiment_values: int
    difference: SampleDifference | None


class ComparedGroup(TypedDict):
    """One group; ``score`` is null where nothing in it could be judged."""

    name: str
    score: float | None
    weight: float


class Canary(TypedDict):
    """``GET /api/v2/canary``; ``score`` is null where nothing could be judged."""

    verdict: Literal["pass", "marginal", "fail", "nodata"]
    score: float | None
    reason: str
    groups: list[ComparedGroup]
    metrics: list[ComparedMetric]
