"""What whoever is on call feels: windows caught, false alarms a series and week, delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.nab.corpus import Labelled
from collectors.model import FloatArray

_WEEK_S = 604_800.0
_EPISODE_S = 3_600
"""Alarms that follow within an hour wake nobody again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practical:
    """What a threshold means in practice.

    Attributes:
        threshold: From which score on there is an alarm.
        windows: How many there are.
        caught: In how many of them there was an alarm.
        false_alarms: Outside of windows, those within an hour as one.
        weeks: Of all series together, outside of windows.
        median_delay_s: From the start of a caught window to its first alarm; None if none.
    """

    threshold: float
    windows: int
    caught: int
    false_alarms: int
    weeks: float
    median_delay_s: float | None

    @property
    def per_week(self) -> float:
        """False alarms a series-week."""
        return self.false_alarms / self.weeks if self.weeks else 0.0


def practical(
    series: Sequence[Labelled], scores: Mapping[str, FloatArray], threshold: float
) -> Practical:
    """Return what alarms of at least ``threshold`` mean."""
    caught = windows = false_alarms = 0
    weeks, delays = 0.0, list[float]()
    for one in series:
        alarm = (scores[one.name] >= threshold) & one.judged
        outside = np.ones(len(alarm), dtype=np.bool_)
        for first, last in one.windows:
            windows += 1
            outside[first : last + 1] = False
            hits = np.flatnonzero(alarm[first : last + 1])
            if len(hits):
                caught += 1
                delays.append(float(one.seconds[first + hits[0]] - one.seconds[first]))
        times = one.seconds[alarm & outside]
        false_alarms += int(len(times) > 0) + int((np.diff(times) > _EPISODE_S).sum())
        step_s = float(np.median(np.diff(one.seconds)))
        weeks += float((one.judged & outside).sum()) * step_s / _WEEK_S
    return Practical(
        threshold=threshold,
        windows=windows,
        caught=caught,
        false_alarms=false_alarms,
        weeks=weeks,
        median_delay_s=float(np.median(delays)) if delays else None,
    )


def within_budget(
    series: Sequence[Labelled], scores: Mapping[str, FloatArray], per_week: float
) -> Practical:
    """Return what is caught at the lowest threshold with no more false alarms than ``per_week``."""
    levels = np.unique(np.concatenate([scores[one.name][one.judged] for one in series]))
    low, high = 0, len(levels) - 1
    while low < high:  # a lower threshold never has fewer alarms
        middle = (low + high) // 2
        if practical(series, scores, float(levels[middle])).per_week <= per_week:
            high = middle
        else:
            low = middle + 1
    return practical(series, scores, float(levels[low]))
