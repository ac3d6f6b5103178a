"""Counts of events over the last steps, so that any window's sum costs the same.

Prefix sums in a circular buffer: the sum over the newest ``w`` steps is one subtraction, however
long ``w`` is, and so the cost of an alert does not grow with its window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over one window, shape (groups,): bad events, all events, steps with measurements."""

    bad: FloatArray
    total: FloatArray
    measured: FloatArray
    steps: int


class EventRing:
    """Bad and total events by group over the newest ``capacity`` steps.

    Args:
        capacity: Longest window, in steps.
        spare: How many steps can be taken back.
    """

    def __init__(self, capacity: int, spare: int = 0) -> None:
        self.capacity = capacity
        self._slots = capacity + 1 + spare
        self._cumulative: FloatArray = np.zeros((3, 0, self._slots))
        self._pushed = 0

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self._cumulative.shape[1])

    @property
    def pushed(self) -> int:
        """Number of steps that were ever appended."""
        return self._pushed

    def back_to(self, pushed: int) -> None:
        """Take back the newest steps, down to ``pushed`` in all; no more than are spare."""
        taken = self._pushed - pushed
        if not 0 <= taken <= self._slots - 1 - self.capacity:
            raise ValueError(f"{taken} steps can't be taken back")
        self._pushed = pushed

    def reset(self, groups: NDArray[np.intp]) -> None:
        """Forget all that was counted of some groups."""
        self._cumulative[:, groups] = 0.0

    def grow(self, groups: int) -> None:
        """Make room for ``groups`` groups; the past of a new one counts as not measured."""
        missing = groups - self.groups
        if missing > 0:
            empty = np.zeros((3, missing, self._slots))
            self._cumulative = np.concatenate([self._cumulative, empty], axis=1)

    def push(self, bad: FloatArray, total: FloatArray, measured: FloatArray) -> None:
        """Append one step; each argument has shape (groups,).

        ``measured`` is how many steps were measured, 0 or more; at 0 nothing counts.
        """
        self.extend(np.stack([bad, total, measured])[:, :, np.newaxis])

    def extend(self, steps: FloatArray) -> None:
        """Append several steps at once.

        Args:
            steps: Shape (3, groups, steps): bad events, all events, measured steps.
        """
        sums = self._continued(steps)
        count = steps.shape[2]
        kept = min(count, self._slots)
        slots = (self._pushed + 1 + np.arange(count - kept, count)) % self._slots
        self._cumulative[:, :, slots] = sums[:, :, count - kept :]
        self._pushed += count

    def ahead(self, steps: FloatArray, windows: IntArray) -> FloatArray:
        """Return what :meth:`windows` would say after each of ``steps``, without appending them.

        Args:
            steps: As for :meth:`extend`.
            windows: Lengths of the windows, shape (windows,).

        Returns:
            Shape (2, groups, steps, windows): bad events, all events.
        """
        sums = self._continued(steps)[:2]
        count = steps.shape[2]
        ends = self._pushed + 1 + np.arange(count)[:, np.newaxis]
        starts = ends - np.minimum(windows, ends)
        inside = starts > self._pushed
        before = np.where(
            inside,
            sums[:, :, np.where(inside, starts - self._pushed - 1, 0)],
            self._cumulative[:2][:, :, starts % self._slots],
        )
        found: FloatArray = sums[:, :, :, np.newaxis] - before
        return found

    def _continued(self, steps: FloatArray) -> FloatArray:
        """Return the prefix sums after each of ``steps``: the same however steps are cut."""
        counted = np.where(steps[2] > 0, steps, 0.0)
        newest = self._cumulative[:, :, self._pushed % self._slots]
        table = np.concatenate([newest[:, :, np.newaxis], counted], axis=2)
        sums: FloatArray = np.cumsum(table, axis=2)[:, :, 1:]
        return sums

    def windows(self, steps: IntArray) -> FloatArray:
        """Return the sums over several windows at once.

        Args:
            steps: Lengths of the windows, shape (windows,).

        Returns:
            Shape (3, groups, windows): bad events, all events, measured steps.
        """
        if len(steps) and not 1 <= int(steps.min()) <= int(steps.max()) <= self.capacity:
            raise ValueError(f"windows of {steps.tolist()} steps do not fit into {self.capacity}")
        newest = self._cumulative[:, :, self._pushed % self._slots]
        slots = (self._pushed - np.minimum(steps, self._pushed)) % self._slots
        sums: FloatArray = newest[:, :, np.newaxis] - self._cumulative[:, :, slots]
        return sums

    def window(self, steps: int) -> Sums:
        """Return the sums over the newest ``steps`` steps; those before the first are empty."""
        bad, total, measured = self.windows(np.array([steps], dtype=np.int64))[:, :, 0]
        return Sums(bad=bad, total=total, measured=measured, steps=steps)

    def window_of(self, group: int, steps: int) -> FloatArray:
        """Return the sums of one group over the newest ``steps`` steps, shape (3,)."""
        newest = self._cumulative[:, group, self._pushed % self._slots]
        before = self._cumulative[:, group, (self._pushed - min(steps, self._pushed)) % self._slots]
        sums: FloatArray = newest - before
        return sums

    def recent(self, group: int, steps: int) -> tuple[FloatArray, FloatArray]:
        """Return bad and total events of one group for each of the newest steps, oldest first."""
        reach = min(steps, self._pushed, self.capacity)
        slots = np.arange(self._pushed - reach, self._pushed + 1) % self._slots
        columns = self._cumulative[:2, group, slots]
        bad, total = np.diff(columns, axis=1)
        return bad, total
