"""Which samples are within the hot window, behind it, or from the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.model import IndexArray, IntArray, Rejection


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


@kernel
def _extremes(ids: IndexArray, samples: IndexArray, time_ms: IntArray, out: IntArray) -> None:
    """Leave the oldest and newest time in ``out[0]`` and ``out[1]``, the samples in ``out[2]``."""
    oldest, newest, count, last = out[0], out[1], out[2], 0
    for row in range(len(ids)):
        first = last
        last += samples[row]
        if ids[row] < 0:
            continue
        count += last - first
        for i in range(first, last):
            oldest = min(oldest, time_ms[i])
            newest = max(newest, time_ms[i])
    out[0], out[1], out[2] = oldest, newest, count


def extremes_of(ids: IndexArray, samples: IndexArray, time_ms: IntArray) -> tuple[int, int, int]:
    """Return the oldest and the newest time of rows with an id, and how many samples they have."""
    if len(time_ms) and (ids >= 0).all():  # what numpy does in vectors
        return int(time_ms.min()), int(time_ms.max()), len(time_ms)
    limits = np.iinfo(np.int64)
    out = np.array([limits.max, limits.min, 0], dtype=np.int64)
    _extremes(ids, samples, time_ms, out)
    oldest, newest, count = out.tolist()
    return oldest, newest, count


def refuse_late(count: int, oldest_ms: int, history_ms: int | None) -> Rejection:
    """Return the refusal of samples that nothing keeps any more.

    Args:
        count: How many.
        oldest_ms: Where the hot window starts.
        history_ms: History takes what comes after this; None when there is none.
    """
    detail = f"not after {oldest_ms} ms, where the hot window starts, and "
    if history_ms is None:
        detail += "history is off"
    else:
        detail += (
            f"history can't take them: not after {history_ms} ms, where its retention ends, of a "
            "day that is rolled up, or a lone sample of a counter"
        )
    return Rejection(reason="dataTooOld", detail=detail, count=count)


def refuse_early(count: int, newest_ms: int) -> Rejection:
    """Return the refusal of samples from the future."""
    detail = f"newer than {newest_ms} ms, the clock plus tolerance; check the sender's clock"
    return Rejection(reason="dataFromFuture", detail=detail, count=count)
