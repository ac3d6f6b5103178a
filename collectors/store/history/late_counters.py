"""Rates of counter samples that are older than the hot window.

They have no place among the hot blocks and nothing there to follow on, but those of one batch
follow one another: a sender that catches up after an outage brings whole runs. Each interval
between two samples of a series is a rate; a step takes the mean of the intervals in it, weighted by
time. The first sample of each run only starts it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IndexArray, IntArray
from collectors.store.blocks.columns import Columns
from collectors.store.blocks.ingest import counter_heartbeat_ms


class LateRates(NamedTuple):
    """Rates of late counters, in columns.

    Attributes:
        series: (M,) ids.
        time_ms: (M,) ends of steps.
        value: (M,) events per second.
        used: How many of the samples are in a rate.
    """

    series: NDArray[np.int32]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    used: int


def late_rates(samples: Columns, step_ms: int) -> LateRates:
    """Return the rates of counter samples in any order.

    Args:
        samples: Counts so far, of which one below its predecessor means that the counter began
            again; or parts, whose rates are added up.
        step_ms: The store's step.
    """
    series, start_ms, time_ms, value, whole = samples
    if start_ms is not None:
        rate = value * 1000.0 / (time_ms - start_ms)
        columns = _by_step(series, start_ms, time_ms, rate, step_ms, mean=False)
        return LateRates(*columns, used=len(value))
    order = np.lexsort((time_ms, series))
    series, time_ms, value = series[order], time_ms[order], value[order]
    took_ms = np.diff(time_ms)
    follows = (np.diff(series) == 0) & (took_ms > 0) & (took_ms <= counter_heartbeat_ms(step_ms))
    at = np.flatnonzero(follows)
    increase = value[at + 1] - value[at]
    after_reset = np.maximum(0.0, value[at + 1]) if whole else 0.0
    rate = np.where(increase >= 0, increase, after_reset) * 1000.0 / took_ms[at]
    columns = _by_step(series[at], time_ms[at], time_ms[at + 1], rate, step_ms, mean=True)
    return LateRates(*columns, used=len(np.union1d(at, at + 1)))


def _by_step(
    series: IndexArray,
    start_ms: IntArray,
    end_ms: IntArray,
    rate: FloatArray,
    step_ms: int,
    *,
    mean: bool,
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """Spread each interval's rate over the steps that it covers.

    A step takes the ``mean`` of what covers it, or all of it by the share that it covers.
    """
    first, last = start_ms // step_ms + 1, -(-end_ms // step_ms)
    steps = last - first + 1
    row = np.repeat(np.arange(len(series)), steps)
    step = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
    covered = np.minimum(end_ms[row], step * step_ms) - np.maximum(
        start_ms[row], (step - 1) * step_ms
    )
    keys, place = np.unique(np.stack((series[row], step)), axis=1, return_inverse=True)
    weight = np.bincount(place.ravel(), weights=covered, minlength=keys.shape[1])
    total = np.bincount(place.ravel(), weights=covered * rate[row], minlength=keys.shape[1])
    return keys[0].astype(np.int32), keys[1] * step_ms, total / (weight if mean else step_ms)
