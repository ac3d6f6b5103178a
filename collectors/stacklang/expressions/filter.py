"""Expressions that choose lines by what they look like over the window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, Tags
from collectors.stacklang.expression import Expr, Raw
from collectors.stacklang.expressions.series import (
    SeriesExpr,
    SourceExpr,
    WrappingExpr,
    rewrite_series,
)
from collectors.stacklang.lines.database import Aggregate, Consolidation
from collectors.stacklang.lines.line_set import (
    LineSet,
    concatenate,
    counted_labels,
    no_lines,
    single_line,
    tag_label,
)
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.numeric.elementwise import aggregate_all, truth
from collectors.stacklang.numeric.summary_stats import summarize
from collectors.stacklang.text.durations import Duration
from collectors.stacklang.text.faults import require
from collectors.stacklang.text.literals import format_double

OTHERS = "--others--"


@dataclass(frozen=True, slots=True)
class StatExpr(WrappingExpr):
    """A flat line at a statistic of each line (``:stat``).

    ``shown`` is set where the expression came from a word such as ``:stat-max`` within a filter,
    which is then what is rendered.
    """

    expr: SeriesExpr
    stat: str
    shown: str | None = None

    def parts(self) -> Iterable[object]:
        """Return the short word, or the expression, the statistic and the word."""
        if self.shown is not None:
            return (Raw(self.shown),)
        return (self.expr, self.stat, Raw(":stat"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the flat lines."""
        lines = self.expr.evaluate(scope)
        level = summarize(lines.values).get(self.stat)
        return LineSet(
            tags=lines.tags,
            labels=counted_labels(f"stat-{self.stat}({label})" for label in lines.labels),
            values=np.repeat(level[:, None], scope.steps, axis=1),
        )


@dataclass(frozen=True, slots=True)
class StatPlaceholder(SourceExpr):
    """``:stat-max`` and the like: within a filter, a statistic of what is filtered."""

    stat: str

    def parts(self) -> Iterable[object]:
        """Return the word."""
        return (Raw(f":stat-{self.stat}"),)

    def evaluate(self, scope: Scope) -> LineSet:
        """Return nothing: it only means something within a filter."""
        return no_lines(scope.steps)


@dataclass(frozen=True, slots=True)
class FilterExpr(SeriesExpr):
    """The lines for which a condition holds somewhere in the window (``:filter``).

    Raises:
        QueryError: The condition is grouped and the lines are not.
    """

    expr: SeriesExpr
    condition: SeriesExpr

    def __post_init__(self) -> None:
        require(
            self.expr.is_grouped or not self.condition.is_grouped,
            "filter grouping must match expr grouping",
        )

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of both."""
        return self.expr.data_exprs + self.condition.data_exprs

    @property
    def is_grouped(self) -> bool:
        """Whether the lines are grouped."""
        return self.expr.is_grouped

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The grouping of the lines."""
        return self.expr.final_grouping

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group among the lines."""
        return self.expr.group_by_key(tags)

    def parts(self) -> Iterable[object]:
        """Return lines, condition and word."""
        return (self.expr, self.condition, Raw(":filter"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines that pass."""
        lines = self.expr.evaluate(scope)
        flags = self.condition.evaluate(scope)
        holds = np.asarray(truth(flags.values).any(axis=1), dtype=np.bool_)
        if not self.condition.is_grouped:
            require(len(flags) == 1, "empty result for filter expression")
            return lines if holds[0] else no_lines(scope.steps)
        return lines.take(self._passing(lines, flags, holds))

    def _passing(self, lines: LineSet, flags: LineSet, holds: NDArray[np.bool_]) -> list[int]:
        verdicts: dict[str | None, bool] = {}
        for row, tags in enumerate(flags.tags):
            key = self.group_by_key(tags)
            # More than one condition for a group decides nothing.
            verdicts[key] = bool(holds[row]) if key not in verdicts else False
        return [
            row
            for row, tags in enumerate(lines.tags)
            if verdicts.get(self.group_by_key(tags), False)
        ]


def resolve_placeholders(expr: SeriesExpr, condition: SeriesExpr) -> SeriesExpr:
    """Return the condition with ``:stat-max`` and the like taken of ``expr``."""

    def resolve(node: Expr) -> Expr | None:
        if isinstance(node, StatPlaceholder):
            return StatExpr(expr, node.stat, node.render())
        return None

    return rewrite_series(condition, resolve)


_OTHERS_FUNCTIONS = {"min": Aggregate.MIN, "max": Aggregate.MAX, "sum": Aggregate.SUM}


@dataclass(frozen=True, slots=True)
class PriorityExpr(WrappingExpr):
    """The first lines by a statistic (``:topk``, ``:bottomk``), the rest perhaps made into one.

    Raises:
        QueryError: ``count`` is not positive.
    """

    name: str
    expr: SeriesExpr
    stat: str
    count: int

    def __post_init__(self) -> None:
        require(self.count > 0, f"k must be positive ({self.count} <= 0)")

    def parts(self) -> Iterable[object]:
        """Return the lines, the statistic, the number and the word."""
        return (self.expr, self.stat, self.count, Raw(f":{self.name}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the chosen lines, best first, after the line of the others."""
        lines = self.expr.evaluate(scope)
        level = summarize(lines.values).get(self.stat)
        # NaN counts as larger than any number, as when Java compares.
        ranking = np.where(np.isnan(level), np.inf, level)
        descending = self.name.startswith("topk")
        order = np.lexsort(
            (~np.isnan(level), -ranking) if descending else (np.isnan(level), ranking)
        )
        chosen = lines.take(order[: self.count])
        others = order[self.count :]
        _, _, how = self.name.partition("-others-")
        if not how or not len(others):
            return chosen
        return concatenate([self._fold(lines, np.sort(others), how), chosen], scope.steps)

    def _fold(self, lines: LineSet, rows: NDArray[np.intp], how: str) -> LineSet:
        tags = {**lines.tags[rows[0]], **dict.fromkeys(self.final_grouping, OTHERS)}
        return single_line(tags, tag_label(tags), _folded(lines.values[rows], how))


def _folded(values: FloatArray, how: str) -> FloatArray:
    if how != "avg":
        return aggregate_all(_OTHERS_FUNCTIONS[how], values)
    total = aggregate_all(Aggregate.SUM, values)
    return total / aggregate_all(Aggregate.COUNT, values)


@dataclass(frozen=True, slots=True)
class ConsolidateExpr(WrappingExpr):
    """Values consolidated to a larger step and shown at the graph's own (``:consolidate``)."""

    expr: SeriesExpr
    function: Consolidation
    step: Duration

    def parts(self) -> Iterable[object]:
        """Return the lines, the function, the step and the word."""
        return (self.expr, str(self.function), self.step, Raw(":consolidate"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines with each interval's value on all of its columns."""
        lines = self.expr.evaluate(scope)
        multiple = -(-self.step.millis // scope.window.step_ms)
        if multiple <= 1 or not len(lines):
            return lines
        # A column's timestamp is the end of its interval, so the one on a boundary is the last.
        interval = (scope.times_ms // scope.window.step_ms - 1) // multiple
        starts = np.flatnonzero(np.diff(interval, prepend=interval[0] - 1))
        values = _reduce_columns(self.function, lines.values, starts)
        lengths = np.diff(np.append(starts, scope.steps))
        return LineSet(
            tags=lines.tags,
            labels=lines.labels,
            values=np.repeat(values, lengths, axis=1),
        )


def _reduce_columns(
    function: Consolidation, values: FloatArray, starts: NDArray[np.intp]
) -> FloatArray:
    if function in {Consolidation.MIN, Consolidation.MAX}:
        extreme = np.fmin if function is Consolidation.MIN else np.fmax
        return np.asarray(extreme.reduceat(values, starts, axis=1), dtype=np.float64)
    present = ~np.isnan(values)
    counts = np.add.reduceat(present.astype(np.float64), starts, axis=1)
    sums = np.add.reduceat(np.where(present, values, 0.0), starts, axis=1)
    if function is Consolidation.AVG:
        sums = sums / np.maximum(counts, 1.0)
    return np.where(counts > 0, sums, np.nan)


def stat_texts(values: FloatArray) -> list[dict[str, str]]:
    """Return, for each line, the statistics that legends can refer to."""
    stats = summarize(values)
    names = ("avg", "max", "min", "last", "total")
    columns = {f"atlas.{name}": stats.get(name) for name in names}
    return [
        {name: format_double(float(column[row])) for name, column in columns.items()}
        for row in range(values.shape[0])
    ]
