"""Cardinality from the registers of spectator's distinct count sketch.

HyperLogLog with linear counting for small numbers: Flajolet et al., "HyperLogLog: the analysis of
a near-optimal cardinality estimation algorithm" (2007).
"""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray

_SMALL_RANGE = 2.5


def estimate_distinct(registers: FloatArray) -> FloatArray:
    """Estimate the number of distinct values at each step.

    Args:
        registers: Shape (registers, steps): the largest rank seen, NaN or 0 for none.

    Returns:
        Shape (steps,), NaN where no register has a value.
    """
    count = registers.shape[0]
    ranks = np.nan_to_num(registers, nan=0.0)
    alpha = 0.7213 / (1.0 + 1.079 / count)
    raw = alpha * count * count / np.sum(np.exp2(-ranks), axis=0)
    empty = np.sum(ranks == 0.0, axis=0)
    linear = count * np.log(count / np.maximum(empty, 1))
    estimate = np.where((raw <= _SMALL_RANGE * count) & (empty > 0), linear, raw)
    return np.where(np.isnan(registers).all(axis=0), np.nan, estimate)
