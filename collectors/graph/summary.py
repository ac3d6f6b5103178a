"""The statistics that legends, ``stats.json`` and sorting show for a line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Statistics over the values that are present; NaN throughout when there are none."""

    count: int
    total: float
    min: float
    max: float
    last: float

    @property
    def avg(self) -> float:
        """Mean of the present values."""
        return self.total / self.count if self.count else math.nan


NOTHING = Summary(count=0, total=math.nan, min=math.nan, max=math.nan, last=math.nan)


def summarize(values: FloatArray) -> Summary:
    """Return the statistics of one line, shape (steps,).

    >>> summarize(np.array([1.0, np.nan, 3.0])).avg
    2.0
    """
    present = values[~np.isnan(values)]
    if present.size == 0:
        return NOTHING
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(present.sum())
    return Summary(
        count=int(present.size),
        total=total,
        min=float(present.min()),
        max=float(present.max()),
        last=float(present[-1]),
    )
