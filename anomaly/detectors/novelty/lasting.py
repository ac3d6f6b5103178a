"""Lasting: whether what an alarm began goes on, judged by what was usual when it began.

The parts that judge novelty learn from everything, an outage too: what lasts is soon nothing new.
That it is known does not make it well.
"""

from __future__ import annotations

from anomaly.detectors.novelty.day import between
from anomaly.detectors.novelty.row import (
    KNOTS,
    LIMIT,
    RESIDUAL_TAIL,
    THEN,
    USUAL,
    WHY,
    RowArray,
)
from anomaly.detectors.novelty.tails import size
from collectors.kernel import inlined

_RARE = 0.05


@inlined
def begin(rows: RowArray, i: int) -> None:
    """Keep what is usual now, before the value of an alarm is learned from."""
    for knot in range(KNOTS):
        rows[i, THEN + knot] = rows[i, USUAL + knot]
    rows[i, LIMIT] = size(rows, i, RESIDUAL_TAIL, _RARE)
    for part in range(3):
        rows[i, WHY + part] = 0.0


@inlined
def note_why(rows: RowArray, i: int, residual: float, pattern: float, quiet: float) -> None:
    """Keep the smallest probabilities since the alarm began."""
    rows[i, WHY] = min(rows[i, WHY], residual)
    rows[i, WHY + 1] = min(rows[i, WHY + 1], pattern)
    rows[i, WHY + 2] = min(rows[i, WHY + 2], quiet)


@inlined
def usual_then(rows: RowArray, i: int, day: float) -> float:
    """Return what was usual at this time of the day when the alarm began."""
    return between(rows, i, THEN, day)


@inlined
def distance_then(
    rows: RowArray, i: int, x: float, expected: float, side: int, floor: float
) -> float:
    """Return how far a value is off by what was usual then: below 0.5 for what is well again.

    Args:
        rows: State.
        i: Of which series.
        x: The value, less the series' first one.
        expected: What was usual then at this time of the day.
        side: As in ``SIDES``.
        floor: Smallest difference that matters.
    """
    off = x - expected
    away = abs(off) if side == 0 else max(0.0, side * off)
    return float(0.5 * away / max(rows[i, LIMIT], floor))


@inlined
def end_well(rows: RowArray, i: int) -> None:
    """Expect again what was usual before: what was learned meanwhile was not well."""
    for knot in range(KNOTS):
        rows[i, USUAL + knot] = rows[i, THEN + knot]
