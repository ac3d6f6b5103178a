"""Slices of time: events of a step in, one good or bad slice out at the step that ends it.

OpenSLO's ``Timeslices`` count a slice as good if enough of its events are; ``RatioTimeslices``
count the share of good events of each slice, whatever its traffic. A slice without events is
neither. Slices begin at whole multiples of their length since an origin, the epoch or the start of
the calendar window, so that a restart cuts the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray

# Shares are quotients of sums of floats: what is right at the target is not below it.
_EXACT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRule:
    """How time is cut.

    Attributes:
        length_s: Length of a slice, seconds.
        allowed_bad: Share of bad events up to which a slice is good; None: a slice counts by its
            share of bad events.
    """

    length_s: int
    allowed_bad: float | None


class Slicer:
    """The slice that is open, for each group.

    Args:
        rule: How time is cut.
        step_ms: Length of a step.
        origin_ms: Where a slice begins.
    """

    def __init__(self, rule: SliceRule, step_ms: int, origin_ms: int = 0) -> None:
        self._rule = rule
        self._step_ms = step_ms
        self._length_ms = rule.length_s * 1_000
        self._origin_ms = origin_ms
        # Shape (3, groups): bad events, all events, measured steps.
        self.open: FloatArray = np.zeros((3, 0))

    def grow(self, groups: int) -> None:
        """Make room for ``groups`` groups."""
        missing = groups - self.open.shape[1]
        if missing > 0:
            self.open = np.concatenate([self.open, np.zeros((3, missing))], axis=1)

    def reset(self, groups: NDArray[np.intp]) -> None:
        """Forget what is open of some groups."""
        self.open[:, groups] = 0.0

    def cut(self, steps: FloatArray, first_ms: int) -> tuple[FloatArray, FloatArray]:
        """Return steps with slices in place of events, and what is open after them.

        Args:
            steps: Shape (3, groups, steps): bad events, all events, measured steps.
            first_ms: End of the first step.

        Returns:
            The same shape: at a step that ends a slice its badness from 0 to 1, 1 if it had events,
            and its measured steps; 0 elsewhere. And what :attr:`open` is to be.
        """
        ends = self._ends(steps.shape[2], first_ms)
        result = np.zeros_like(steps)
        if not len(ends):
            return result, self.open + steps.sum(axis=2)
        starts = np.concatenate([[0], ends + 1])
        sums = np.add.reduceat(steps[:, :, : ends[-1] + 1], starts[:-1], axis=2)
        sums[:, :, 0] += self.open
        result[:, :, ends] = self._judged(sums)
        return result, steps[:, :, ends[-1] + 1 :].sum(axis=2)

    def _ends(self, count: int, first_ms: int) -> IntArray:
        """Return which steps are the last of their slice; each belongs to that of its end."""
        times = first_ms - self._origin_ms + np.arange(count + 1, dtype=np.int64) * self._step_ms
        slices = (times - 1) // self._length_ms
        return np.flatnonzero(slices[1:] != slices[:-1]).astype(np.int64)

    def _judged(self, sums: FloatArray) -> FloatArray:
        bad, total, measured = sums
        there = total > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(there, bad / np.where(there, total, 1.0), 0.0)
        allowed = self._rule.allowed_bad
        if allowed is not None:
            share = np.where(share > allowed + _EXACT, 1.0, 0.0)
        judged = [share, np.where(there, 1.0, 0.0), np.where(there, measured, 0.0)]
        return np.stack(judged)
