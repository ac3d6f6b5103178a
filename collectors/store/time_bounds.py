"""Which samples are within the hot window, behind it, or from the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import IntArray, Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One verdict a sample.

    Attributes:
        timely: (N,) bool, goes into the hot blocks.
        late: (N,) bool, older than they reach.
        early: (N,) bool, further ahead of the clock than is tolerated.
    """

    timely: NDArray[np.bool_]
    late: NDArray[np.bool_]
    early: NDArray[np.bool_]


def judge_times(time_ms: IntArray, *, oldest_ms: int, newest_ms: int) -> Timing:
    """Judge each time: timely is after ``oldest_ms`` and not after ``newest_ms``."""
    late, early = time_ms <= oldest_ms, time_ms > newest_ms
    return Timing(timely=~(late | early), late=late, early=early)


def refuse_late(count: int, oldest_ms: int) -> Rejection:
    """Return the refusal of samples that nothing keeps any more."""
    detail = f"not after {oldest_ms} ms, where the hot window starts, and history can't take them"
    return Rejection(reason="dataTooOld", detail=detail, count=count)


def refuse_early(count: int, newest_ms: int) -> Rejection:
    """Return the refusal of samples from the future."""
    detail = f"newer than {newest_ms} ms, the clock plus tolerance; check the sender's clock"
    return Rejection(reason="dataFromFuture", detail=detail, count=count)
