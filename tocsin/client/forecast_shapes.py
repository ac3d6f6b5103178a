"""Shapes of a forecast, as :mod:`shapes` has the others; times in epoch milliseconds."""

from __future__ import annotations

from typing import TypedDict


class ForecastCourse(TypedDict):
    """What may come, step by step, and how often such bands have held (null: not measured)."""

    likeliest: list[float | None]
    low: list[float | None]
    high: list[float | None]
    now: float
    method: str
    season_steps: int
    stated: float
    measured: float | None
    tried: int
    error: float | None


class ForecastExhaustion(TypedDict):
    """When a limit is reached; null for not within what was looked ahead."""

    limit: float
    reached: bool
    likeliest_ms: int | None
    earliest_ms: int | None
    latest_ms: int | None


class ForecastInstances(TypedDict):
    """How many instances of a capacity it takes at the peak."""

    capacity: float
    likeliest: int
    safe: int
    peak_ms: int


class ForecastLine(TypedDict):
    """One line; without a forecast ``why_not`` says why."""

    tags: dict[str, str]
    forecast: ForecastCourse | None
    why_not: str
    exhaustion: ForecastExhaustion | None
    instances: ForecastInstances | None


class ForecastAnswer(TypedDict):
    """``GET /api/v2/forecast``."""

    query: str
    step_ms: int
    past_ms: list[int]
    times_ms: list[int]
    lines: list[ForecastLine]
