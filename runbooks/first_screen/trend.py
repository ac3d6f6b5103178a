"""Whether a value gets worse: its distance from what it should be, this minute against before.

The rule, which is told beside its answer: the median distance over the last minute is compared
with that over the minute before. A fifth more is worse, a fifth less is better. With fewer than
two values in either, or before two minutes have been measured since the onset, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from collectors.model import FloatArray
from tocsin.client.wording import percent

WINDOW_MS = 60_000
RULE = "the distance from what it should be: this minute's median against the minute's before"
_CLEAR = 0.2
_LEAST = 2
_TINY = 1e-12


class Course(StrEnum):
    """Which way a value goes."""

    WORSE = "getting worse"
    STEADY = "steady"
    BETTER = "getting better"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Which way it goes, and what that was read from."""

    course: Course
    why: str


def trend_of(values: FloatArray, baseline: float | None, step_ms: int) -> Trend:
    """Return which way ``values`` go.

    Args:
        values: A value a step since the onset, shape (steps,); NaN where none was measured.
        baseline: What they should be; None: that is not known.
        step_ms: Length of a step, milliseconds.

    >>> import numpy as np
    >>> trend_of(np.r_[np.full(12, 0.1), np.full(12, 0.2)], 0.0, 5_000).course.value
    'getting worse'
    """
    if baseline is None:
        return Trend(course=Course.UNKNOWN, why="what it should be is not known")
    width = max(1, WINDOW_MS // step_ms)
    now, before = values[-width:], values[-2 * width : -width]
    now, before = now[np.isfinite(now)], before[np.isfinite(before)]
    if len(now) < _LEAST or len(before) < _LEAST:
        return Trend(course=Course.UNKNOWN, why="not two minutes have been measured since it began")
    far, was = (float(np.median(np.abs(part - baseline))) for part in (now, before))
    if was <= _TINY:
        course = Course.STEADY if far <= _TINY else Course.WORSE
        return Trend(course=course, why=RULE)
    moved = far / was - 1
    words = f"{percent(abs(moved))} {'farther' if moved > 0 else 'nearer'}; {RULE}"
    if moved > _CLEAR:
        return Trend(course=Course.WORSE, why=words)
    return Trend(course=Course.BETTER if moved < -_CLEAR else Course.STEADY, why=words)
