"""Online algorithms: what stateful words remember from step to step.

Each works on a table of lines that advance together. The first ``advance`` may be given any number
of lines, later ones as many or more; a line that is new has been missing until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from collectors.model import FloatArray
from collectors.stacklang.numeric.elementwise import truth
from collectors.stacklang.numeric.rolling import MAX, MIN, SUM, RollingTable

Rows = np.ndarray[tuple[int], np.dtype[np.intp]]


class Algorithm(Protocol):
    """State of a stateful word over a table of lines."""

    @property
    def memory_steps(self) -> int | None:
        """After how many missing values a line is as if it were new; None for never."""
        ...

    def advance(self, values: FloatArray) -> FloatArray:
        """Take the next values, shape (lines, steps); return the results, same shape."""
        ...

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        ...


MakeAlgorithm = Callable[[], Algorithm]


class Rolling:
    """``:rolling-sum``, ``:rolling-min``, ``:rolling-max``: missing values are left out."""

    def __init__(self, operation: int, size: int) -> None:
        self.memory_steps: int | None = size
        self._table = RollingTable(operation, size)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the aggregate over the window at each step."""
        return self._table.advance(values)

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._table.keep(rows)


def rolling_sum(size: int) -> Rolling:
    """Return the sum over the last ``size`` values."""
    return Rolling(SUM, size)


def rolling_min(size: int) -> Rolling:
    """Return the minimum over the last ``size`` values."""
    return Rolling(MIN, size)


def rolling_max(size: int) -> Rolling:
    """Return the maximum over the last ``size`` values."""
    return Rolling(MAX, size)


class RollingCount:
    """``:rolling-count``: how many of the last values were true."""

    def __init__(self, size: int) -> None:
        self.memory_steps: int | None = size
        self._table = RollingTable(SUM, size)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the count at each step; missing is not true."""
        return self._table.advance(truth(values))

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._table.keep(rows)


class RollingMean:
    """``:rolling-mean``: the mean where at least ``least`` values are present."""

    def __init__(self, size: int, least: int) -> None:
        self.memory_steps: int | None = size
        self._least = max(1, least)
        self._sums = RollingTable(SUM, size)
        self._counts = RollingTable(SUM, size)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the mean at each step, NaN where too few values are present."""
        sums = self._sums.advance(values)
        counts = self._counts.advance((~np.isnan(values)).astype(np.float64))
        return np.where(counts >= self._least, sums / np.maximum(counts, 1.0), np.nan)

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._sums.keep(rows)
        self._counts.keep(rows)


class Trend:
    """``:trend``: the mean with missing as zero, once the window is full."""

    def __init__(self, size: int) -> None:
        self.memory_steps: int | None = size
        self._size = size
        self._seen = 0
        self._sums = RollingTable(SUM, size)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the mean at each step; NaN until full, and where everything is missing."""
        sums = self._sums.advance(values)
        numbers = self._seen + np.arange(1, values.shape[1] + 1)
        self._seen += values.shape[1]
        return np.where(numbers >= self._size, sums / self._size, np.nan)

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._sums.keep(rows)


class Delay:
    """``:delay``: the value some steps ago."""

    def __init__(self, size: int) -> None:
        self.memory_steps: int | None = max(size, 0)
        self._size = max(size, 0)
        self._recent: FloatArray = np.empty((0, self._size))

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the values ``size`` steps before."""
        self._recent = grow(self._recent, values.shape[0])
        joined = np.concatenate([self._recent, values], axis=1)
        self._recent = joined[:, values.shape[1] :].copy()
        return joined[:, : values.shape[1]]

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._recent = self._recent[rows]


class Derivative:
    """``:derivative``: the difference to the value before."""

    def __init__(self) -> None:
        self.memory_steps: int | None = 1
        self._last: FloatArray = np.empty((0, 1))

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the differences; NaN where either value is missing."""
        self._last = grow(self._last, values.shape[0])
        joined = np.concatenate([self._last, values], axis=1)
        self._last = joined[:, -1:].copy()
        with np.errstate(invalid="ignore"):  # between infinities
            return np.diff(joined, axis=1)

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._last = self._last[rows]


class Integral:
    """``:integral``: the sum of everything so far; missing until there is something."""

    memory_steps: int | None = None

    def __init__(self) -> None:
        self._total: FloatArray = np.empty(0)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the running sums."""
        self._total = grow(self._total, values.shape[0])
        before = ~np.isnan(self._total)
        filled = np.where(np.isnan(values), 0.0, values)
        filled = np.concatenate([np.where(before, self._total, 0.0)[:, None], filled], axis=1)
        started = np.logical_or.accumulate(~np.isnan(values), axis=1) | before[:, None]
        sums = np.where(started, np.cumsum(filled, axis=1)[:, 1:], np.nan)
        if values.shape[1]:
            self._total = sums[:, -1].copy()
        return sums

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._total = self._total[rows]


class CumulativeMax:
    """``:cumulative-max``: the largest value so far."""

    memory_steps: int | None = None

    def __init__(self) -> None:
        self._largest: FloatArray = np.empty(0)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the running maxima."""
        self._largest = grow(self._largest, values.shape[0])
        joined = np.concatenate([self._largest[:, None], values], axis=1)
        largest = np.fmax.accumulate(joined, axis=1)[:, 1:]
        if values.shape[1]:
            self._largest = largest[:, -1].copy()
        return largest

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._largest = self._largest[rows]


class IgnoreFirst:
    """The values, but missing for the first ``count`` steps."""

    memory_steps: int | None = None

    def __init__(self, count: int) -> None:
        self._left = count

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the values from where they count."""
        ignored = min(self._left, values.shape[1])
        self._left -= ignored
        out = values.copy()
        out[:, :ignored] = np.nan
        return out

    def keep(self, rows: Rows) -> None:
        """Keep nothing for lines."""
        del rows


def grow(state: FloatArray, lines: int) -> FloatArray:
    """Return ``state`` with rows of NaN added for lines that are new."""
    missing = lines - state.shape[0]
    if missing <= 0:
        return state
    return np.concatenate([state, np.full((missing, *state.shape[1:]), np.nan)])
