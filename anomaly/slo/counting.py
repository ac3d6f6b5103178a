"""From the values of a step to events: how many there were, and how many of them were bad.

An objective counts events, or reads a value: a ratio that is one already, or a number that is
compared. A value makes one event of each step in which it is measured. Pure functions of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray

# Good and total come from different series, which may be a moment apart: no contradiction yet.
_ABSURD = 1.05
_TINY = 1e-6


class Measure(StrEnum):
    """What the values of an objective are.

    ``EVENTS``: good or bad events beside all of them. ``GOOD_SHARE`` and ``BAD_SHARE``: a ratio
    from 0 to 1 that is one already. ``COMPARED``: a number that is good on one side of a limit.
    """

    EVENTS = "events"
    GOOD_SHARE = "good share"
    BAD_SHARE = "bad share"
    COMPARED = "compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """When a value is good: OpenSLO's ``op`` (lte, gte, lt, gt) and ``value``."""

    op: str
    value: float

    def good(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values are good; NaN is not.

        >>> Comparison(op="lte", value=0.5).good(np.array([0.5, 0.6])).tolist()
        [True, False]
        """
        with np.errstate(invalid="ignore"):
            found: NDArray[np.bool_] = _COMPARE[self.op](values, self.value)
        return found

    @property
    def bad_word(self) -> str:
        """The word of the stack language that tells the values that are not good."""
        return _OPPOSITE[self.op]


_COMPARE = {
    "lte": np.less_equal,
    "gte": np.greater_equal,
    "lt": np.less,
    "gt": np.greater,
}
_OPPOSITE = {"lte": ":gt", "gte": ":lt", "lt": ":ge", "gt": ":le"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How the values of steps become events.

    Attributes:
        measure: What they are.
        counts_bad: With ``EVENTS``: whether the part beside all events is that of the bad ones.
        factor: With ``EVENTS``: events of a step per unit of its value. The length of a step in
            seconds for a counter, whose values are per second, else 1.
        comparison: With ``COMPARED``: when a value is good.
    """

    measure: Measure
    counts_bad: bool
    factor: float
    comparison: Comparison | None = None

    def events(
        self, parts: FloatArray, totals: FloatArray, there: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Return bad events and all events.

        Args:
            parts: Good or bad events; not looked at for a value. NaN is none.
            totals: All events, or the value, same shape.
            there: Where ``totals`` are measured, and what they are divided into is known.
        """
        if self.measure is not Measure.EVENTS:
            return self._bad_share(totals, there), np.where(there, 1.0, 0.0)
        events = np.where(there, np.maximum(totals, 0.0), 0.0) * self.factor
        counted = np.where(np.isfinite(parts), parts, 0.0) * self.factor
        bad = counted if self.counts_bad else events - counted
        return np.minimum(np.maximum(bad, 0.0), events), events

    def absurd(self, parts: FloatArray, totals: FloatArray) -> NDArray[np.bool_]:
        """Return where the values can't be what they are said to be: more than all, or negative."""
        with np.errstate(invalid="ignore"):
            if self.measure is Measure.COMPARED:
                return np.zeros(totals.shape, dtype=np.bool_)
            if self.measure is Measure.EVENTS:
                below = (parts < -_TINY) | (totals < -_TINY)
                return np.asarray(below | (parts > totals * _ABSURD + _TINY), dtype=np.bool_)
            return np.asarray((totals > 1 + _TINY) | (totals < -_TINY), dtype=np.bool_)

    def _bad_share(self, values: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
        if self.comparison is not None:
            return np.where(there & ~self.comparison.good(values), 1.0, 0.0)
        share = np.clip(np.where(there, values, 0.0), 0.0, 1.0)
        bad = share if self.measure is Measure.BAD_SHARE else 1.0 - share
        return np.where(there, bad, 0.0)
