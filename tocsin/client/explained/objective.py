"""The shapes of ``GET /api/v2/slos/{name}/explain``."""

from __future__ import annotations

from typing import TypedDict


class ExplainedStep(TypedDict):
    """What the newest step said of a scope; None: there was no value."""

    part: float | None
    total: float | None
    half_missing: bool
    blind: bool
    words: str


class ExplainedAlert(TypedDict):
    """The alert of a scope at one urgency."""

    urgency: str
    state: str
    opened_ms: int | None
    held_back: str


class ExplainedTier(TypedDict):
    """A pair of windows: burn rates, what they are made of, and the conclusion."""

    tier: str
    urgency: str
    threshold: float
    threshold_ratio: float
    long_s: float
    long: float | None
    long_bad: float
    long_total: float
    short_s: float
    short: float | None
    short_bad: float
    short_total: float
    coverage: float | None
    verdict: str
    words: str


class ExplainedScope(TypedDict):
    """One scope of the objective."""

    scope: dict[str, str]
    step: ExplainedStep
    good_ratio: float | None
    error_budget_remaining: float | None
    coverage: float | None
    alerts: list[ExplainedAlert]
    tiers: list[ExplainedTier]
    why: str


class ExplainedChange(TypedDict):
    """A finding that opened, froze or ended."""

    time_ms: int
    state: str
    urgency: str
    title: str
    explanation: str


class ExplainedObjective(TypedDict):
    """Why an objective fired at ``at_ms``, or did not."""

    name: str
    service: str
    asked_ms: int
    at_ms: int
    begins_ms: int | None
    target: float
    window_s: int
    counted: str
    part_expr: str
    total_expr: str
    counts_bad: bool
    why: str
    faults: dict[str, str]
    blindness: list[str]
    scopes: list[ExplainedScope]
    left_out: int
    history: list[ExplainedChange]
