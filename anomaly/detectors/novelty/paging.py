"""Paging: an alarm is held for some values; whether it wakes somebody, what comes after decides."""

from __future__ import annotations

from anomaly.detectors.novelty.lasting import begin
from anomaly.detectors.novelty.row import HELD, HELD_EVIDENCE, HELD_SCORE, RowArray
from collectors.kernel import inlined

NO_PAGE = -1.0
_EVIDENCE = 0.4


@inlined
def held(rows: RowArray, i: int, alarm: float, residual: float, hold: float) -> float:
    """Return the score of an alarm that has been held for ``hold`` values, else ``NO_PAGE``.

    Args:
        rows: State.
        i: Of which series.
        alarm: Score of an alarm now, ``NO_PAGE`` or less for none.
        residual: log10 of the probability of so large a residual as now.
        hold: How many values come after the first alarm.
    """
    since = rows[i, HELD]
    if since > 0.0:
        rows[i, HELD] = since + 1.0
        rows[i, HELD_EVIDENCE] -= residual
        rows[i, HELD_SCORE] = max(rows[i, HELD_SCORE], alarm)
    elif alarm > NO_PAGE:
        begin(rows, i)
        rows[i, HELD] = 1.0
        rows[i, HELD_SCORE] = alarm
        rows[i, HELD_EVIDENCE] = 0.0
    if rows[i, HELD] <= 0.0 or rows[i, HELD] < hold + 1.0:
        return NO_PAGE
    score = rows[i, HELD_SCORE] + _EVIDENCE * rows[i, HELD_EVIDENCE] / max(1.0, hold)
    rows[i, HELD] = 0.0
    return float(score)
