"""What libraries take to judge the next value of one series, a day of steps behind it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from collectors.model import FloatArray

DAY = 288
"""Steps of five minutes."""
_TIMES = 3
_STREAM = 2_000


def series(steps: int) -> FloatArray:
    """Return a day after another with noise."""
    turn = 2 * np.pi * np.arange(steps) / DAY
    noise = np.random.default_rng(1).normal(0, 2, steps)
    return np.asarray(100 + 40 * np.sin(turn) + noise, dtype=np.float64)


def costs() -> Mapping[str, float]:
    """Return seconds of processor time for one value of one series; without what is not there."""
    found: dict[str, float] = {}
    for measure in (_statsmodels, _river):
        try:
            found |= measure()
        except ImportError:
            continue
    return found


def _statsmodels() -> dict[str, float]:
    """Fit the past week afresh, as who forecasts each step must."""
    smoothing = import_module("statsmodels.tsa.holtwinters").ExponentialSmoothing
    decomposition = import_module("statsmodels.tsa.seasonal").STL
    week = series(7 * DAY)

    def smooth() -> None:
        smoothing(week, seasonal="add", seasonal_periods=DAY).fit().forecast(1)

    def decompose() -> None:
        decomposition(week, period=DAY).fit()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that did not converge: they cost as much
        return {
            "statsmodels ExponentialSmoothing, fitted": _best_s(smooth),
            "statsmodels STL": _best_s(decompose),
        }


def _river() -> dict[str, float]:
    """Go on from value to value, as it is made for."""
    anomaly = import_module("river.anomaly")
    smoothing = import_module("river.time_series").HoltWinters
    values = series(_STREAM).tolist()

    def trees() -> None:
        _stream(anomaly.HalfSpaceTrees(seed=1), [{"x": value / 200} for value in values])

    def smooth() -> None:
        model = smoothing(alpha=0.1, beta=0.01, gamma=0.1, seasonality=DAY)
        for value in values:
            model.learn_one(value)

    return {
        "river HalfSpaceTrees": _best_s(trees) / _STREAM,
        "river HoltWinters": _best_s(smooth) / _STREAM,
    }


def _stream(model: Any, points: list[dict[str, float]]) -> None:
    for point in points:
        model.score_one(point)
        model.learn_one(point)


def _best_s(work: Callable[[], None]) -> float:
    """Return the least processor time of several tries."""
    found = []
    for _ in range(_TIMES):
        before_s = time.process_time()
        work()
        found.append(time.process_time() - before_s)
    return min(found)
