"""Percentiles of spans, exact over those that are kept, each for as many as it stands for.

Nearest rank (Hyndman and Fan 1996, definition 1): the duration of a span that there was, not one
between two.
"""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray, IntArray

# Shares are sums of floats: 0.3 of ten spans is the third, not the fourth.
_ROUNDED = 1 - 1e-12


def percentile(values: FloatArray | IntArray, weight: FloatArray, share: float) -> float:
    """Return the least value that so large a share does not exceed.

    Args:
        values: (n,), at least one.
        weight: (n,) how many each stands for.
        share: 0 to 1.

    >>> percentile(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 8.0]), 0.5)
    9.0
    """
    order = np.argsort(values, kind="stable")
    return float(values[order[_rank(weight[order], share)]])


def percentiles_by_cell(
    cell: IntArray, values: FloatArray, weight: FloatArray, share: float, size: int
) -> FloatArray:
    """Return (size,) the percentile of each cell, NaN where it has no value.

    Args:
        cell: (n,) where each value belongs.
        values: (n,).
        weight: (n,) how many each stands for.
        share: 0 to 1.
        size: How many cells there are.
    """
    result = np.full(size, np.nan)
    order = np.lexsort((values, cell))
    cell, values, weight = cell[order], values[order], weight[order]
    first = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1])))
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(cell)], strict=True):
        result[cell[begin]] = values[begin + _rank(weight[begin:end], share)]
    return result


def _rank(weight: FloatArray, share: float) -> int:
    reached = np.cumsum(weight)
    at = int(np.searchsorted(reached, share * reached[-1] * _ROUNDED))
    return min(at, len(weight) - 1)
