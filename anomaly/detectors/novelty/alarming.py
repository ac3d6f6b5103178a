"""Alarming: which surprises are news, after an alarm and after many like them.

An alarm holds back those after it that are no higher, less and less over time. Each episode leaves
its peak behind; what many peaks have reached is no longer told as loudly.
"""

from __future__ import annotations

import math

from anomaly.detectors.novelty.row import (
    EPISODE,
    EPISODE_AT,
    PEAK,
    PEAK_AT,
    PEAKS,
    SEEN,
    RowArray,
)
from collectors.kernel import inlined

LEAST = 0.3
"""Nothing below is an alarm."""
NO_ALARM = -1.0
REFRACTORY = 288.0
PAGE_REFRACTORY = 12.0
_EPISODE = 288.0
_FORGIVING = 6.0
_HABIT = 0.4
_HABIT_AGE = 4_000.0
_ALIKE = 0.1


@inlined
def is_news(rows: RowArray, i: int, column: int, surprise: float, refractory: float) -> bool:
    """Return whether a surprise is an alarm, and remember it if so.

    Args:
        rows: State.
        i: Of which series.
        column: Where the newest alarm's level stands, and behind it when it was.
        surprise: Of now.
        refractory: For how many values an alarm holds back others.
    """
    if not surprise > LEAST:
        return False
    seen, level = rows[i, SEEN], rows[i, column]
    age = (seen - rows[i, column + 1]) / refractory
    if level > 0.0 and age <= 1.0 and not surprise > level - _FORGIVING * age**4:
        return False
    rows[i, column] = surprise
    rows[i, column + 1] = seen
    return True


@inlined
def habituated(rows: RowArray, i: int, surprise: float) -> float:
    """Return a surprise less what peaks as high take off."""
    alike, seen = 1.0, rows[i, SEEN]
    for peak in range(PEAKS):
        level = rows[i, PEAK + peak]
        if level > 0.0 and level >= surprise - _ALIKE:
            alike += 0.5 ** ((seen - rows[i, PEAK_AT + peak]) / _HABIT_AGE)
    return surprise - _HABIT * math.log10(alike)


@inlined
def _close(rows: RowArray, i: int) -> None:
    """Keep the peak of an episode in place of the lowest."""
    place = 0
    for peak in range(1, PEAKS):
        if rows[i, PEAK + peak] < rows[i, PEAK + place]:
            place = peak
    if rows[i, EPISODE] > rows[i, PEAK + place]:
        rows[i, PEAK + place] = rows[i, EPISODE]
        rows[i, PEAK_AT + place] = rows[i, EPISODE_AT]
    rows[i, EPISODE] = 0.0


@inlined
def follow_episode(rows: RowArray, i: int, surprise: float, alarm: bool) -> None:
    """Open an episode with an alarm, prolong it with each, and close it when none comes."""
    seen = rows[i, SEEN]
    if rows[i, EPISODE] > 0.0 and seen - rows[i, EPISODE_AT] > _EPISODE:
        _close(rows, i)
    if alarm:
        rows[i, EPISODE] = max(rows[i, EPISODE], surprise)
        rows[i, EPISODE_AT] = seen
