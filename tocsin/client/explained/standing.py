"""How an objective stands: one wording for cards, tables and the terminal."""

from __future__ import annotations

from enum import StrEnum

from tocsin.client.shapes import BurnRate, Slo

_MOSTLY_MEASURED = 0.5


class Level(StrEnum):
    """How much an objective's standing matters."""

    BAD = "bad"
    NEAR = "near"
    UNKNOWN = "unknown"
    WELL = "well"


def standing(slo: Slo) -> tuple[str, Level]:
    """Return how an objective stands, in words, and how bad that is.

    An alert is one thing, a spent budget or a burn rate above its limit another; the worst counts.
    """
    state = slo["state"]
    if state == "burning":
        return "burning", Level.BAD
    if state == "no_data" or slo["good_ratio"] is None:
        return "not measured", Level.UNKNOWN
    rates = slo["burn_rates"]
    if state == "held_back" or any(is_over(r, r["long"]) and is_over(r, r["short"]) for r in rates):
        return "burning fast, no alert yet", Level.NEAR
    if any(is_over(r, r["long"]) or is_over(r, r["short"]) for r in rates):
        return "one window burns fast", Level.NEAR
    left = budget_left(slo)
    if left is not None and left <= 0:
        return "budget spent", Level.BAD
    if state == "ok":
        return "no alert", Level.WELL
    return state.replace("_", " "), Level.UNKNOWN


def budget_left(slo: Slo) -> float | None:
    """Return what is left of the budget: projected while most of the window is not measured."""
    projected, coverage = slo["error_budget_remaining_projected"], slo["coverage"]
    if coverage is not None and coverage < _MOSTLY_MEASURED and projected is not None:
        return projected
    return slo["error_budget_remaining"]


def is_over(rate: BurnRate, value: float | None) -> bool:
    """Say whether a value of a burn rate is above its limit."""
    return value is not None and value > rate["threshold"]
