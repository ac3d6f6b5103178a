"""What a game day is held against: the targets of the platform's faults, met or not."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.gameday.scorecard import Scorecard

_SEEN = 0.95
_HARD_STEPS = 2.0
_FIRST_THREE = 0.8
_WAYS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One target.

    Attributes:
        name: What is measured.
        target: At least this; at most, for ``steps`` and ``false pages``.
        measured: What it came to; None when nothing of the kind was played.
        met: Whether it is met; None when not measured.
    """

    name: str
    target: float
    measured: float | None
    met: bool | None

    @property
    def words(self) -> str:
        """How it stands, for a terminal."""
        if self.measured is None:
            return f"{self.name}: not measured (target {self.target:g})"
        state = "met" if self.met else "missed"
        return f"{self.name}: {self.measured:.3g} (target {self.target:g}: {state})"


def goals(card: Scorecard, step_s: float) -> tuple[Goal, ...]:
    """Return how a scorecard stands to the targets.

    Args:
        card: What was scored.
        step_s: Length of a step, seconds.
    """
    totals = card.totals
    steps = None if totals.hard_detect_s is None else totals.hard_detect_s / step_s
    return (
        _at_least("faults detected", _SEEN, totals.seen),
        _at_most("steps to detect hard failures, median", _HARD_STEPS, steps),
        _at_most("false pages", 0.0, float(totals.false_pages)),
        _at_least("true component among the first three", _FIRST_THREE, totals.in_first_three),
        _at_least("way told right from end to end", _WAYS, totals.ways_right),
    )


def _at_least(name: str, target: float, measured: float | None) -> Goal:
    met = None if measured is None else measured >= target
    return Goal(name=name, target=target, measured=measured, met=met)


def _at_most(name: str, target: float, measured: float | None) -> Goal:
    met = None if measured is None else measured <= target
    return Goal(name=name, target=target, measured=measured, met=met)
