"""What is usual of the lines of an expression, as ``GET /api/v2/expected`` tells it."""

from __future__ import annotations

from typing import TypedDict


class ExpectedLine(TypedDict):
    """Both ends of what was usual, step by step; null where nothing is known."""

    tags: dict[str, str]
    low: list[float | None]
    high: list[float | None]


class ExpectedAnswer(TypedDict):
    """``GET /api/v2/expected``: the first step ends at ``start_ms``."""

    query: str
    start_ms: int
    step_ms: int
    method: str
    lines: list[ExpectedLine]
