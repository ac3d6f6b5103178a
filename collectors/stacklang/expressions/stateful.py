"""Expressions that remember: rolling windows, smoothing, running sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.series import SeriesExpr, WrappingExpr
from collectors.stacklang.lines.line_set import LineSet, counted_labels
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.numeric.algorithms import (
    Algorithm,
    CumulativeMax,
    Delay,
    Derivative,
    IgnoreFirst,
    Integral,
    MakeAlgorithm,
    RollingCount,
    RollingMean,
    Trend,
    rolling_max,
    rolling_min,
    rolling_sum,
)
from collectors.stacklang.numeric.line_table import LineTable
from collectors.stacklang.numeric.rolling_window import MAX_DATAPOINTS, RollingWindow
from collectors.stacklang.numeric.smoothing import SlidingSmoothing, Smoothing
from collectors.stacklang.text.durations import Duration
from collectors.stacklang.text.faults import require

_ROLLING = {"rolling-min": rolling_min, "rolling-max": rolling_max, "rolling-sum": rolling_sum}
_RUNNING: dict[str, MakeAlgorithm] = {
    "integral": Integral,
    "derivative": Derivative,
    "cumulative-max": CumulativeMax,
}


class StatefulExpr(WrappingExpr):
    """Base of the expressions that remember lines from step to step."""

    __slots__ = ()

    name: str

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state.

        Args:
            step_ms: Distance of the columns.
            first_ms: The first column of the evaluation.
        """
        raise NotImplementedError

    def arguments(self) -> tuple[object, ...]:
        """Return what is rendered between the inner expression and the word."""
        return ()

    def parts(self) -> Iterable[object]:
        """Return the inner expression, the arguments and the word."""
        return (self.expr, *self.arguments(), Raw(f":{self.name}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines that the algorithm makes of the inner ones."""
        return scope.once(self, lambda: self._advance(scope))

    def _advance(self, scope: Scope) -> LineSet:
        lines = self.expr.evaluate(scope)
        table = scope.remembered(self, LineTable, lambda: self._new_table(scope))
        values = table.advance(lines.tags, lines.values, scope.elapsed_steps)
        labels = scope.layouts.get(
            self,
            (lines.labels,),
            lambda: counted_labels(f"{self.name}({label})" for label in lines.labels),
        )
        return LineSet(tags=lines.tags, labels=labels, values=values)

    def _new_table(self, scope: Scope) -> LineTable:
        algorithm = self.algorithm(scope.window.step_ms, scope.first_ms)
        return LineTable(algorithm)


@dataclass(frozen=True, slots=True)
class RollingExpr(StatefulExpr):
    """An aggregate over the last values (``:rolling-min`` and the like)."""

    name: str
    expr: SeriesExpr
    window: RollingWindow

    def arguments(self) -> tuple[object, ...]:
        """Return the window."""
        return (self.window,)

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state."""
        del first_ms
        size = self.window.period(step_ms)
        return RollingCount(size) if self.name == "rolling-count" else _ROLLING[self.name](size)


@dataclass(frozen=True, slots=True)
class RollingMeanExpr(StatefulExpr):
    """The mean of the last values if enough are present (``:rolling-mean``)."""

    expr: SeriesExpr
    window: RollingWindow
    least: int
    name: str = "rolling-mean"

    def arguments(self) -> tuple[object, ...]:
        """Return the window and the number of values needed."""
        return (self.window, self.least)

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state; a window in time never asks for more values than it has."""
        del first_ms
        size = self.window.period(step_ms)
        require(self.least > 0, "minimum number of values must be >= 1")
        require(
            self.least <= size or self.window.duration is not None,
            "minimum number of values must be <= window size",
        )
        return RollingMean(size, min(self.least, size))


@dataclass(frozen=True, slots=True)
class DelayExpr(StatefulExpr):
    """Values from some steps ago (``:delay``).

    Raises:
        QueryError: A negative or too long delay.
    """

    expr: SeriesExpr
    size: int
    name: str = "delay"

    def __post_init__(self) -> None:
        require(
            0 < self.size <= MAX_DATAPOINTS,
            f"window size {self.size} must be positive and at most {MAX_DATAPOINTS} datapoints",
        )

    def arguments(self) -> tuple[object, ...]:
        """Return the number of steps."""
        return (self.size,)

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state."""
        del step_ms, first_ms
        return Delay(self.size)


@dataclass(frozen=True, slots=True)
class TrendExpr(StatefulExpr):
    """A moving average over a length of time (``:trend``)."""

    expr: SeriesExpr
    window: Duration
    name: str = "trend"

    def arguments(self) -> tuple[object, ...]:
        """Return the length of time."""
        return (self.window,)

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state; nothing changes if the window is within one step."""
        del first_ms
        size = self.window.millis // step_ms
        require(
            size <= MAX_DATAPOINTS,
            f"window size {size} exceeds limit of {MAX_DATAPOINTS} datapoints",
        )
        return IgnoreFirst(0) if size <= 1 else Trend(size)


@dataclass(frozen=True, slots=True)
class RunningExpr(StatefulExpr):
    """``:integral``, ``:derivative``, ``:cumulative-max``."""

    name: str
    expr: SeriesExpr

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state."""
        del step_ms, first_ms
        return _RUNNING[self.name]()


@dataclass(frozen=True, slots=True)
class SmoothingExpr(StatefulExpr):
    """Double exponential smoothing (``:des``, ``:sdes``)."""

    name: str
    expr: SeriesExpr
    training: int
    alpha: float
    beta: float

    def arguments(self) -> tuple[object, ...]:
        """Return training, alpha and beta."""
        return (self.training, self.alpha, self.beta)

    def algorithm(self, step_ms: int, first_ms: int) -> Algorithm:
        """Return fresh state; the sliding form begins at a multiple of its training period."""
        if self.name == "des":
            return Smoothing(self.training, self.alpha, self.beta)
        period_ms = max(1, self.training) * step_ms
        skip = -first_ms % period_ms // step_ms
        return SlidingSmoothing(self.training, self.alpha, self.beta, skip)
