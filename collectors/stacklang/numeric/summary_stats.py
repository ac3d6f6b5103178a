"""Summary statistics of lines: average, extremes, last value, total, count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray
from collectors.stacklang.text.faults import illegal_argument

STATISTICS = ("avg", "max", "min", "last", "total", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryStats:
    """Statistics of lines, missing values left out; each array has shape (lines,).

    Where a line has no value at all, ``count`` is 0 and everything else is NaN.
    """

    count: FloatArray
    min: FloatArray
    max: FloatArray
    last: FloatArray
    total: FloatArray

    @property
    def avg(self) -> FloatArray:
        """The averages."""
        with np.errstate(all="ignore"):
            return self.total / np.where(self.count > 0, self.count, np.nan)

    def get(self, name: str) -> FloatArray:
        """Return the statistic called ``name``.

        Raises:
            QueryError: There is no such statistic.
        """
        if name not in STATISTICS:
            raise illegal_argument(f"unknown statistic: {name}")
        chosen: FloatArray = getattr(self, name)
        return chosen


def summarize(values: FloatArray) -> SummaryStats:
    """Return the statistics of lines, shape (lines, steps)."""
    present = ~np.isnan(values)
    count = present.sum(axis=1).astype(np.float64)
    some = count > 0
    if values.shape[1] == 0:
        nothing = np.full(values.shape[0], np.nan)
        return SummaryStats(count=count, min=nothing, max=nothing, last=nothing, total=nothing)
    newest = values.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
    last = values[np.arange(values.shape[0]), newest]
    total = np.where(present, values, 0.0).sum(axis=1)
    return SummaryStats(
        count=count,
        min=np.fmin.reduce(values, axis=1),
        max=np.fmax.reduce(values, axis=1),
        last=np.where(some, last, np.nan),
        total=np.where(some, total, np.nan),
    )
