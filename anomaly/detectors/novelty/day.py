"""The usual course of a day: twelve knots, straight lines between them."""

from __future__ import annotations

from anomaly.detectors.novelty.row import KNOTS, TAUGHT, USUAL, RowArray
from collectors.kernel import inlined

DAY_S = 86_400.0
_SLOWEST = 0.01


@inlined
def between(rows: RowArray, i: int, knots: int, day: float) -> float:
    """Return the height of the line between two knots.

    Args:
        rows: State.
        i: Of which series.
        knots: Where its knots begin.
        day: Share of the day that is over, from 0 up to and without 1.
    """
    place = day * KNOTS
    left = int(place)
    share = place - left
    right = left + 1 if left + 1 < KNOTS else 0
    return float(rows[i, knots + left] * (1.0 - share) + rows[i, knots + right] * share)


@inlined
def usual(rows: RowArray, i: int, day: float) -> float:
    """Return what is usual at a time of the day, a share of it."""
    return between(rows, i, USUAL, day)


@inlined
def _teach(rows: RowArray, i: int, knot: int, residual: float, share: float) -> None:
    taught = rows[i, TAUGHT + knot] + 1.0
    rows[i, TAUGHT + knot] = taught
    rows[i, USUAL + knot] += share * max(_SLOWEST, 1.0 / max(1.0, taught)) * residual


@inlined
def learn_day(rows: RowArray, i: int, day: float, residual: float) -> None:
    """Move both knots beside a time towards what was seen, each by its share."""
    place = day * KNOTS
    left = int(place)
    share = place - left
    _teach(rows, i, left, residual, 1.0 - share)
    _teach(rows, i, left + 1 if left + 1 < KNOTS else 0, residual, share)
