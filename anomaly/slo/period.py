"""What was spent in the period of a budget, which rolls or follows the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.ring import EventRing
from collectors.model import FloatArray, IntArray

_BUDGET_SLOTS = 2_048
_COURSE_POINTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was counted of a period, with how it leaves again.

    Attributes:
        sums: Bad events, all events and measured steps, shape (3, groups).
        steps: Steps of the whole period.
        left_ms: How long the period still lasts; 0 for one that rolls.
        newest: The same sums over its newest parts only, shape (3, groups, points): what is still
            in a rolling period after the rest of it has passed. Empty for the calendar.
        ages: Length of each of these parts, steps, shape (points,).
    """

    sums: FloatArray
    steps: int
    left_ms: int
    newest: FloatArray
    ages: IntArray


class Period(Protocol):
    """Counts over the period of a budget."""

    def grow(self, groups: int) -> None:
        """Make room for ``groups`` groups."""
        ...

    def reset(self, groups: NDArray[np.intp]) -> None:
        """Forget all that was counted of some groups."""
        ...

    def extend(self, steps: FloatArray, first_ms: int) -> None:
        """Count steps of shape (3, groups, steps), the first of which ended at ``first_ms``."""
        ...

    def spent(self) -> Spent:
        """Return what was counted of the period that holds the newest step."""
        ...

    def spent_of(self, group: int) -> tuple[FloatArray, int]:
        """Return the sums of one group, shape (3,), and the steps of the whole period."""
        ...

    def mark(self) -> Any:
        """Return where it stands."""
        ...

    def back_to(self, mark: Any) -> None:
        """Stand where it stood; groups that came since have nothing."""
        ...


def period_of(
    period_s: int, calendar: CalendarWindow | None, step_ms: int, spare_steps: int
) -> Period:
    """Return the counts of a period.

    Args:
        period_s: Its length, seconds.
        calendar: Where it begins; None: it rolls.
        step_ms: Length of a step.
        spare_steps: How far it must be able to go back.
    """
    if calendar is not None:
        return CalendarPeriod(calendar, step_ms)
    return RollingPeriod(period_s * 1_000 // step_ms, spare_steps)


class RollingPeriod:
    """The newest steps, in slots of several so that a month takes little room.

    Args:
        steps: Steps of the period.
        spare_steps: How far it must be able to go back.
    """

    def __init__(self, steps: int, spare_steps: int = 0) -> None:
        self._every = max(1, ceil(steps / _BUDGET_SLOTS))
        spare_slots = -(-spare_steps // self._every) + 1
        self._ring = EventRing(max(1, steps // self._every), spare_slots)
        self._pending: FloatArray = np.zeros((3, 0))
        self._pending_steps = 0
        points = np.linspace(1, self._ring.capacity, _COURSE_POINTS)
        self._ages = np.unique(np.round(points).astype(np.int64))

    def grow(self, groups: int) -> None:
        """Make room for ``groups`` groups."""
        self._ring.grow(groups)
        self._pending = _grown(self._pending, groups)

    def reset(self, groups: NDArray[np.intp]) -> None:
        """Forget all that was counted of some groups."""
        self._ring.reset(groups)
        self._pending[:, groups] = 0.0

    def extend(self, steps: FloatArray, first_ms: int) -> None:
        """Count steps of shape (3, groups, steps)."""
        del first_ms
        first = min(self._every - self._pending_steps, steps.shape[2])
        edges = [0, *range(first, steps.shape[2], self._every)]
        slots = np.add.reduceat(steps, edges, axis=2)
        slots[:, :, 0] += self._pending
        open_steps = (self._pending_steps + steps.shape[2]) % self._every
        full = slots[:, :, :-1] if open_steps else slots
        self._pending = slots[:, :, -1] if open_steps else np.zeros_like(self._pending)
        self._pending_steps = open_steps
        if full.shape[2]:
            self._ring.extend(full)

    def spent(self) -> Spent:
        """Return what was counted of the newest period, and of its newest parts."""
        newest = self._ring.windows(self._ages) + self._pending[:, :, np.newaxis]
        return Spent(
            sums=newest[:, :, -1],
            steps=self._steps,
            left_ms=0,
            newest=newest,
            ages=self._ages * self._every,
        )

    def spent_of(self, group: int) -> tuple[FloatArray, int]:
        """Return the sums of one group, shape (3,), and the steps of the whole period."""
        sums = self._ring.window_of(group, self._ring.capacity) + self._pending[:, group]
        return sums, self._steps

    @property
    def _steps(self) -> int:
        return self._ring.capacity * self._every

    def mark(self) -> Any:
        """Return where it stands, but for what its ring still holds."""
        return self._ring.pushed, self._pending.copy(), self._pending_steps

    def back_to(self, mark: Any) -> None:
        """Stand where it stood."""
        pushed, pending, self._pending_steps = mark
        self._ring.back_to(pushed)
        self._pending = _grown(pending.copy(), self._ring.groups)


class CalendarPeriod:
    """The steps since the window of the calendar began; each window begins with nothing.

    Args:
        window: When they begin.
        step_ms: Length of a step.
    """

    def __init__(self, window: CalendarWindow, step_ms: int) -> None:
        self._window = window
        self._step_ms = step_ms
        self._sums: FloatArray = np.zeros((3, 0))
        self._begins_ms = self._ends_ms = 0
        self._newest_ms = 0

    def grow(self, groups: int) -> None:
        """Make room for ``groups`` groups."""
        self._sums = _grown(self._sums, groups)

    def reset(self, groups: NDArray[np.intp]) -> None:
        """Forget all that was counted of some groups."""
        self._sums[:, groups] = 0.0

    def extend(self, steps: FloatArray, first_ms: int) -> None:
        """Count those of the steps that lie in the window of the last."""
        count = steps.shape[2]
        self._newest_ms = first_ms + (count - 1) * self._step_ms
        if not self._begins_ms < self._newest_ms <= self._ends_ms:
            around = self._window.around(self._newest_ms)
            self._begins_ms, self._ends_ms = around or (0, 0)
            self._sums = np.zeros_like(self._sums)
            if around is None:
                return
        # A step belongs to the window that its end lies in.
        before = max(0, -(-(self._begins_ms + 1 - first_ms) // self._step_ms))
        self._sums = self._sums + steps[:, :, before:].sum(axis=2)

    def spent(self) -> Spent:
        """Return what was counted since the window began."""
        return Spent(
            sums=self._sums.copy(),
            steps=self._steps,
            left_ms=max(0, self._ends_ms - self._newest_ms),
            newest=np.zeros((3, self._sums.shape[1], 0)),
            ages=np.zeros(0, dtype=np.int64),
        )

    def spent_of(self, group: int) -> tuple[FloatArray, int]:
        """Return the sums of one group, shape (3,), and the steps of the whole window."""
        return self._sums[:, group].copy(), self._steps

    @property
    def _steps(self) -> int:
        return max(1, (self._ends_ms - self._begins_ms) // self._step_ms)

    def mark(self) -> Any:
        """Return where it stands."""
        return self._sums.copy(), self._begins_ms, self._ends_ms, self._newest_ms

    def back_to(self, mark: Any) -> None:
        """Stand where it stood."""
        groups = self._sums.shape[1]
        sums, self._begins_ms, self._ends_ms, self._newest_ms = mark
        self._sums = _grown(sums.copy(), groups)


def _grown(sums: FloatArray, groups: int) -> FloatArray:
    missing = groups - sums.shape[1]
    if missing <= 0:
        return sums
    return np.concatenate([sums, np.zeros((3, missing))], axis=1)
