"""Patterns: the most novel pairs of neighbouring residuals so far, slowly forgotten.

The distance of a pair to the nearest one remembered says how unlike the past it is. Which pairs are
worth remembering is what the distance itself says, so that a few stand for the whole past.
"""

from __future__ import annotations

import math

import numpy as np

from anomaly.detectors.novelty.row import (
    BEFORE,
    FILLED,
    NOW,
    PAIRS,
    PRIORITY,
    RESIDUAL,
    SEEN,
    WAITING,
    RowArray,
)
from collectors.kernel import finite, inlined

FORGETTING = 1.0 / 15_000.0
_FURTHEST = np.float32(3e38)
_SMALLEST = 1e-37


@finite
def _nearest(rows: RowArray, i: int, now: float, before: float) -> float:
    """Return the square of the distance to the nearest pair; one that is not there is far away."""
    least = _FURTHEST
    for pair in range(PAIRS):
        across = rows[i, NOW + pair] - np.float32(now)
        along = rows[i, BEFORE + pair] - np.float32(before)
        square = across * across + along * along
        least = min(least, square)
    return float(least)


@inlined
def distance(rows: RowArray, i: int, residual: float) -> float:
    """Return how far the newest pair, ``residual`` and the one before, is from all remembered."""
    if rows[i, FILLED] == 0.0:
        return 0.0
    return math.sqrt(_nearest(rows, i, residual, rows[i, RESIDUAL]))


@inlined
def _remember(rows: RowArray, i: int, now: float, before: float, priority: float) -> None:
    filled = int(rows[i, FILLED])
    place = filled
    if filled == 0:
        # Whoever is not there must not be the nearest: all places begin as the first pair.
        for pair in range(PAIRS):
            rows[i, NOW + pair] = now
            rows[i, BEFORE + pair] = before
    if filled < PAIRS:
        rows[i, FILLED] = filled + 1.0
    else:
        place = 0
        for pair in range(1, PAIRS):
            if rows[i, PRIORITY + pair] < rows[i, PRIORITY + place]:
                place = pair
        if not priority > rows[i, PRIORITY + place]:
            return
    rows[i, NOW + place] = now
    rows[i, BEFORE + place] = before
    rows[i, PRIORITY + place] = priority


@inlined
def learn_pattern(rows: RowArray, i: int, residual: float, apart: float) -> None:
    """Remember the pair of two values ago if it is novel enough; keep the newest for later.

    Two values later, so that a pair is never compared with one that it shares a value with.
    """
    seen = rows[i, SEEN]
    if seen >= 2.0:
        _remember(rows, i, rows[i, WAITING], rows[i, WAITING + 1], rows[i, WAITING + 2])
    for each in range(3):
        rows[i, WAITING + each] = rows[i, WAITING + 3 + each]
    rows[i, WAITING + 3] = residual
    rows[i, WAITING + 4] = rows[i, RESIDUAL]
    rows[i, WAITING + 5] = math.log2(max(_SMALLEST, apart)) + seen * FORGETTING
