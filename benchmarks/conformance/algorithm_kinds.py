"""Kinds that feed values one by one: online algorithms, statistics, normalisation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.conformance.comparing import Case, close, differ_values, number
from collectors.stacklang.numeric import algorithms
from collectors.stacklang.numeric.line_table import LineTable
from collectors.stacklang.numeric.smoothing import SlidingSmoothing, Smoothing
from collectors.stacklang.numeric.summary_stats import summarize

_ALGORITHMS: dict[str, Callable[..., algorithms.Algorithm]] = {
    "OnlineCumulativeMax": lambda _start: algorithms.CumulativeMax(),
    "OnlineDelay": algorithms.Delay,
    "OnlineDerivative": lambda _start: algorithms.Derivative(),
    "OnlineDes": Smoothing,
    "OnlineIgnoreN": algorithms.IgnoreFirst,
    "OnlineIntegral": lambda _start: algorithms.Integral(),
    "OnlineRollingCount": algorithms.RollingCount,
    "OnlineRollingMax": algorithms.rolling_max,
    "OnlineRollingMean": algorithms.RollingMean,
    "OnlineRollingMin": algorithms.rolling_min,
    "OnlineRollingSum": algorithms.rolling_sum,
    "OnlineSlidingDes": SlidingSmoothing,
    "OnlineTrend": algorithms.Trend,
}
_TAGS = [{"name": "line"}]


def check_online(case: Case) -> str | None:
    """Values through an algorithm, which may be reset, and knows when it is empty."""
    arguments = [number(arg) if isinstance(arg, str) else arg for arg in case["args"]]
    make = _ALGORITHMS[case["algorithm"]]
    table = LineTable(make(*arguments))
    for index, step in enumerate(case["expected"]):
        if "next" in step:
            got = float(table.advance(_TAGS, np.array([[number(step["next"])]]))[0, 0])
            if not close(got, number(step["expect"])):
                return f"step {index}: {got} instead of {step['expect']}"
        elif "reset" in step:
            table = LineTable(make(*arguments))
        elif "is_empty" in step:
            empty = table.is_empty(0)
            if empty != step["is_empty"]:
                return f"step {index}: empty is {empty}"
        else:
            return f"step {index}: {step} is not understood"
    return None


def check_summary_stats(case: Case) -> str | None:
    """Statistics of a line."""
    stats = summarize(np.array([[number(value) for value in case["input"]]]).reshape(1, -1))
    expected = case["expected"]
    return differ_values([float(stats.get(name)[0]) for name in expected], list(expected.values()))
