"""Functions of each value by itself: arithmetic, trigonometry, calendars, clamping."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray
from collectors.promql.functions.arguments import Arguments, Function
from collectors.promql.labels.table import Labels
from collectors.promql.language.nodes import VectorSelector, bare
from collectors.promql.vectors.selecting import select_times
from collectors.promql.vectors.values import (
    Scalar,
    Value,
    Vector,
    empty_vector,
    vector_of,
    with_present,
)

_DAY_S = 86_400.0
# Beyond this numpy's dates have no year.
_MAX_SECONDS = 2.0e11

DateArray = NDArray[np.datetime64]
_Unary = Callable[[FloatArray], FloatArray]

_EACH: Mapping[str, _Unary] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": lambda values: values * 180.0 / math.pi,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": lambda values: values * math.pi / 180.0,
    "sgn": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def _each(compute: _Unary) -> Function:
    def function(given: Arguments) -> Value:
        vector = given.vector()
        with np.errstate(all="ignore"):
            return vector.mapped(compute(vector.values))

    return function


def _clamp(given: Arguments) -> Value:
    vector, low, high = given.vector(), given.scalar(1), given.scalar(2)
    clamped = vector.mapped(np.maximum(low, np.minimum(high, vector.values)))
    return with_present(clamped, clamped.present & ~(high < low))


def _clamp_min(given: Arguments) -> Value:
    return given.vector().mapped(np.maximum(given.scalar(1), given.vector().values))


def _clamp_max(given: Arguments) -> Value:
    return given.vector().mapped(np.minimum(given.scalar(1), given.vector().values))


def _round(given: Arguments) -> Value:
    nearest = given.scalar(1) if given.given(1) else np.ones(given.context.steps)
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        return given.vector().mapped(np.floor(given.vector().values * inverse + 0.5) / inverse)


def _timestamp(given: Arguments) -> Value:
    selector = bare(given.place(0))
    if isinstance(selector, VectorSelector):
        return select_times(given.context, selector).renamed()
    vector = given.vector()
    return vector.mapped(np.broadcast_to(given.context.times / 1000.0, vector.values.shape).copy())


def _of_time(compute: _Unary) -> Function:
    def function(given: Arguments) -> Value:
        vector = given.vector() if given.given(0) else _now(given)
        with np.errstate(all="ignore"):
            known = np.isfinite(vector.values) & (np.abs(vector.values) < _MAX_SECONDS)
            seconds = np.trunc(np.where(known, vector.values, 0.0))
            return vector.mapped(np.where(known, compute(seconds), np.nan))

    return function


def _now(given: Arguments) -> Vector:
    times = given.context.times / 1000.0
    labels = Labels.blank(given.context.words, 1)
    return vector_of(labels, times[np.newaxis, :], np.ones((1, len(times)), dtype=np.bool_))


def _days(seconds: FloatArray) -> DateArray:
    return np.floor(seconds / _DAY_S).astype(np.int64).astype("datetime64[D]")


def _month_start(seconds: FloatArray) -> DateArray:
    return _days(seconds).astype("datetime64[M]")


def _count(spans: NDArray[np.timedelta64]) -> FloatArray:
    """Return how many of their unit time spans have."""
    found: FloatArray = spans.astype(np.int64).astype(np.float64)
    return found


def _day_of_month(seconds: FloatArray) -> FloatArray:
    return _count(_days(seconds) - _month_start(seconds)) + 1.0


def _day_of_week(seconds: FloatArray) -> FloatArray:
    # 1970 began on a Thursday.
    return np.mod(np.floor(seconds / _DAY_S) + 4.0, 7.0)


def _day_of_year(seconds: FloatArray) -> FloatArray:
    return _count(_days(seconds) - _days(seconds).astype("datetime64[Y]")) + 1.0


def _days_in_month(seconds: FloatArray) -> FloatArray:
    start = _month_start(seconds)
    following = (start + np.timedelta64(1, "M")).astype("datetime64[D]")
    return _count(following - start.astype("datetime64[D]"))


def _month(seconds: FloatArray) -> FloatArray:
    start = _month_start(seconds)
    return _count(start - start.astype("datetime64[Y]")) + 1.0


def _year(seconds: FloatArray) -> FloatArray:
    return _days(seconds).astype("datetime64[Y]").astype(np.float64) + 1970.0


def _hour(seconds: FloatArray) -> FloatArray:
    return np.floor(np.mod(seconds, _DAY_S) / 3600.0)


def _minute(seconds: FloatArray) -> FloatArray:
    return np.floor(np.mod(seconds, 3600.0) / 60.0)


def _nothing(given: Arguments) -> Value:
    """Answer what only native histograms have: nothing, as none are kept."""
    return empty_vector(given.vector(len(given.values) - 1).labels, given.context.steps)


def _scalar(given: Arguments) -> Value:
    vector = given.vector()
    counts = vector.present.sum(axis=0)
    summed = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return Scalar(values=np.where(counts == 1, summed, np.nan))


def _vector(given: Arguments) -> Value:
    values = given.scalar(0)[np.newaxis, :]
    labels = Labels.blank(given.context.words, 1)
    return vector_of(labels, values.copy(), np.ones(values.shape, dtype=np.bool_))


def _constant(compute: Callable[[Arguments], float]) -> Function:
    return lambda given: Scalar(values=np.full(given.context.steps, compute(given)))


def _extreme(choose: Callable[[FloatArray, FloatArray], FloatArray]) -> Function:
    return lambda given: Scalar(values=choose(given.scalar(0), given.scalar(1)))


VALUE_FUNCTIONS: dict[str, Function] = {
    **{name: _each(compute) for name, compute in _EACH.items()},
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "day_of_month": _of_time(_day_of_month),
    "day_of_week": _of_time(_day_of_week),
    "day_of_year": _of_time(_day_of_year),
    "days_in_month": _of_time(_days_in_month),
    "end": _constant(lambda given: given.context.last_ms / 1000.0),
    "histogram_avg": _nothing,
    "histogram_count": _nothing,
    "histogram_stddev": _nothing,
    "histogram_stdvar": _nothing,
    "histogram_sum": _nothing,
    "hour": _of_time(_hour),
    "max_of": _extreme(np.maximum),
    "min_of": _extreme(np.minimum),
    "minute": _of_time(_minute),
    "month": _of_time(_month),
    "pi": _constant(lambda _: math.pi),
    "range": _constant(lambda given: (given.context.last_ms - given.context.first_ms) / 1000.0),
    "round": _round,
    "scalar": _scalar,
    "start": _constant(lambda given: given.context.first_ms / 1000.0),
    "step": _constant(lambda given: given.context.query_step_ms / 1000.0),
    "time": lambda given: Scalar(values=given.context.times / 1000.0),
    "timestamp": _timestamp,
    "vector": _vector,
    "year": _of_time(_year),
}
"""Each by its name."""
