"""Functions of the samples of a range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from collectors.budget import look, reserved
from collectors.model import FloatArray, IntArray
from collectors.promql.functions.arguments import Arguments, Function, each_step
from collectors.promql.functions.edges import edged
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.labels.table import Labels
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import Edge, Node
from collectors.promql.language.numbers import number_text
from collectors.promql.samples import window_values as kernels
from collectors.promql.samples.ranks import ranks_over_windows
from collectors.promql.samples.windows import bounds, extrapolated, next_resets
from collectors.promql.vectors.annotations import Annotations
from collectors.promql.vectors.selecting import Windows
from collectors.promql.vectors.values import BoolArray, Value, Vector

# How many samples a loop may visit before it is asked whether the query goes on.
_VISITS = 5e7
_COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")
_EDGED = ("rate", "increase", "delta", "resets", "changes")

_SIMPLE = {
    "avg_over_time": kernels.AVG,
    "changes": kernels.CHANGES,
    "count_over_time": kernels.COUNT,
    "deriv": kernels.DERIV,
    "first_over_time": kernels.FIRST,
    "idelta": kernels.IDELTA,
    "irate": kernels.IRATE,
    "last_over_time": kernels.LAST,
    "max_over_time": kernels.MAX,
    "min_over_time": kernels.MIN,
    "present_over_time": kernels.PRESENT,
    "resets": kernels.RESETS,
    "stddev_over_time": kernels.STDDEV,
    "stdvar_over_time": kernels.STDVAR,
    "sum_over_time": kernels.SUM,
    "ts_of_first_over_time": kernels.TS_FIRST,
    "ts_of_last_over_time": kernels.TS_LAST,
    "ts_of_max_over_time": kernels.TS_MAX,
    "ts_of_min_over_time": kernels.TS_MIN,
}
_KEEP_NAMES = ("first_over_time", "last_over_time")


def _vector(
    windows: Windows, values: FloatArray, present: BoolArray, *, keep_names: bool
) -> Vector:
    """Return (S, T) results as a vector of the series that have one somewhere."""
    rows = np.flatnonzero(present.any(axis=1))
    values, present = windows.spread(values[rows], present[rows])
    samples = windows.samples
    flags = samples.drop_name
    drop = np.zeros(samples.labels.size, dtype=np.bool_) if flags is None else flags
    if not keep_names:
        drop = np.ones(samples.labels.size, dtype=np.bool_)
    labels = samples.labels.take(rows)
    return Vector(labels=labels, values=values, present=present, drop_name=drop[rows])


def _room(given: Arguments, windows: Windows) -> tuple[FloatArray, BoolArray]:
    series, ends = windows.samples.labels.size, len(windows.ends)
    given.context.reserve(series)
    return np.zeros((series, ends)), np.zeros((series, ends), dtype=np.bool_)


def _some_series(windows: Windows) -> Iterator[slice]:
    """Yield series whose windows are computed in one go: a query is stopped between them."""
    samples, steps = windows.samples, len(windows.ends)
    series = samples.labels.size
    span_ms = max(1, int(windows.ends[-1] - windows.ends[0]) + windows.range_ms) if steps else 1
    # Samples of a series that one window holds, by and large.
    held = len(samples.values) * windows.range_ms / span_ms / max(1, series)
    count = max(1, int(_VISITS / (max(1, steps) * (1 + held))))
    for begin in range(0, series, count):
        look()
        yield slice(begin, min(begin + count, series))


def over_windows(
    given: Arguments, op: int, first: FloatArray, second: FloatArray, *, keep_names: bool = False
) -> Value:
    """Return an operation of the kernel over the windows of a call; parameters are (ends,)."""
    windows = given.ranges()
    values, present = _room(given, windows)
    samples, ends = windows.samples, windows.ends
    first, second = np.ascontiguousarray(first), np.ascontiguousarray(second)
    for rows in _some_series(windows):
        kernels.over_windows(
            op,
            samples.times,
            samples.values,
            samples.offsets[rows.start : rows.stop + 1],
            ends,
            windows.range_ms,
            first,
            second,
            values[rows],
            present[rows],
        )
    return _vector(windows, values, present, keep_names=keep_names)


def _simple(name: str) -> Function:
    def function(given: Arguments) -> Value:
        if given.ranges().edge is not Edge.PLAIN:
            return _at_edges(given, name)
        nothing = np.zeros(len(given.ranges().ends))
        return over_windows(given, _SIMPLE[name], nothing, nothing, keep_names=name in _KEEP_NAMES)

    return function


def _at_edges(given: Arguments, name: str) -> Value:
    windows = given.ranges()
    if name not in _EDGED or (windows.edge is Edge.SMOOTHED and name in ("resets", "changes")):
        allowed = "rate, increase, delta" + (
            ", resets, changes" if windows.edge is Edge.ANCHORED else ""
        )
        raise PromqlError(
            f"{windows.edge} modifier can only be used with: {allowed} - not with {name}"
        )
    values, present = _room(given, windows)
    edged(name, windows, values, present)
    return _vector(windows, values, present, keep_names=False)


def _extrapolated(name: str) -> Function:
    def function(given: Arguments) -> Value:
        windows = given.ranges()
        if name != "delta":
            tell_of_gauges(given.context.notes, windows.samples.labels, given.place(0))
        if windows.edge is not Edge.PLAIN:
            return _at_edges(given, name)
        samples = windows.samples
        values, present = _room(given, windows)
        with reserved(8 * len(samples.values), "falls of counters"):
            resets: IntArray = np.zeros(len(samples.values), dtype=np.int64)
            if name != "delta":
                next_resets(samples.values, samples.offsets, resets)
            for rows in _some_series(windows):
                extrapolated(
                    samples.times,
                    samples.values,
                    resets,
                    samples.offsets[rows.start : rows.stop + 1],
                    windows.ends,
                    windows.range_ms,
                    name != "delta",
                    name == "rate",
                    values[rows],
                    present[rows],
                )
        return _vector(windows, values, present, keep_names=False)

    return function


def tell_of_gauges(notes: Annotations, labels: Labels, node: Node) -> None:
    """Say of metrics whose names are not those of counters that they may be none."""
    numbers = np.unique(labels.column(NAME_LABEL))
    for name in (labels.words.texts[number] for number in numbers.tolist()):
        if name and not name.endswith(_COUNTER_ENDINGS):
            notes.inform(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                f'"{name}"',
                node,
            )


def _smoothing(given: Arguments) -> Value:
    level, trend = given.scalar(1), given.scalar(2)
    for factors, name, symbol in ((level, "smoothing", "sf"), (trend, "trend", "tf")):
        bad = ~((factors > 0) & (factors < 1))
        if bad.any():
            raise PromqlError(
                f"invalid {name} factor. Expected: 0 < {symbol} < 1, got: {factors[bad][0]:f}"
            )
    return over_windows(_each_step(given), kernels.SMOOTH, level, trend)


def _predict(given: Arguments) -> Value:
    # The line is read at the step itself, wherever its samples come from.
    given = _each_step(given)
    ahead = given.scalar(1) + (given.context.times - given.ranges().ends) / 1000.0
    return over_windows(given, kernels.PREDICT, ahead, ahead)


def _each_step(given: Arguments) -> Arguments:
    """Return a call whose windows have an end for each step, as its parameters may change."""
    ends = np.broadcast_to(given.ranges().ends, (given.context.steps,)).copy()
    return replace(given, windows=replace(given.ranges(), ends=ends))


def _ranks(given: Arguments, q: FloatArray, *, deviation: bool) -> Value:
    given = _each_step(given)
    windows = given.ranges()
    samples, ends = windows.samples, windows.ends
    shape = (samples.labels.size, len(ends))
    lows, highs = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    bounds(samples.times, samples.offsets, ends, windows.range_ms, lows, highs)
    values, present = _room(given, windows)
    present[:] = highs > lows
    scratch = np.empty(int((highs - lows).max(initial=0)))
    shares = np.ascontiguousarray(each_step(q, given.context.steps))
    for rows in _some_series(windows):
        ranks_over_windows(
            samples.values, lows[rows], highs[rows], shares, deviation, scratch, values[rows]
        )
    return _vector(windows, values, present, keep_names=False)


def _quantile(given: Arguments) -> Value:
    q = given.scalar(0)
    bad = np.isnan(q) | (q < 0) | (q > 1)
    if bad.any():
        given.context.notes.warn(
            f"quantile value should be between 0 and 1, got {number_text(float(q[bad][0]))}",
            given.place(0),
        )
    return _ranks(given, q, deviation=False)


def _median_deviation(given: Arguments) -> Value:
    return _ranks(given, np.full(1, 0.5), deviation=True)


WINDOW_FUNCTIONS: dict[str, Function] = {
    **{name: _simple(name) for name in _SIMPLE},
    "delta": _extrapolated("delta"),
    "double_exponential_smoothing": _smoothing,
    "increase": _extrapolated("increase"),
    "mad_over_time": _median_deviation,
    "predict_linear": _predict,
    "quantile_over_time": _quantile,
    "rate": _extrapolated("rate"),
}
"""Each by its name."""
