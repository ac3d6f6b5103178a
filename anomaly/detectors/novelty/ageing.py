"""Ageing: in single precision a count stops at 16 million, so all times are set back before."""

from __future__ import annotations

from anomaly.detectors.novelty.patterns import FORGETTING
from anomaly.detectors.novelty.row import (
    ALARM_AT,
    EPISODE_AT,
    PAIRS,
    PEAK_AT,
    PEAKS,
    PRIORITY,
    RAISED_AT,
    SEEN,
    WAITING,
    RowArray,
)
from collectors.kernel import called, inlined

_OLD = 8_388_608.0
_BACK = 4_194_304.0


@called
def _set_back(rows: RowArray, i: int) -> None:
    rows[i, SEEN] -= _BACK
    rows[i, ALARM_AT] -= _BACK
    rows[i, RAISED_AT] -= _BACK
    rows[i, EPISODE_AT] -= _BACK
    for peak in range(PEAKS):
        rows[i, PEAK_AT + peak] -= _BACK
    for pair in range(PAIRS):
        rows[i, PRIORITY + pair] -= _BACK * FORGETTING
    rows[i, WAITING + 2] -= _BACK * FORGETTING
    rows[i, WAITING + 5] -= _BACK * FORGETTING


@inlined
def grow_older(rows: RowArray, i: int) -> None:
    """Count one more value; whoever is very old becomes half as old, differences kept."""
    rows[i, SEEN] += 1.0
    if rows[i, SEEN] >= _OLD:
        _set_back(rows, i)
