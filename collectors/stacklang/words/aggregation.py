"""Words of ``math`` that make one line of the lines of an expression."""

from __future__ import annotations

from collectors.stacklang.expressions.aggregation import LineAggregate
from collectors.stacklang.expressions.data import AggregateExpr
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.program.datatypes import MISMATCH, SERIES, DataType, Mismatch
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Word


def _lines_only(item: object) -> SeriesExpr | StyleExpr | Mismatch:
    return item if isinstance(item, SeriesExpr | StyleExpr) else MISMATCH


# A number or a query is not taken for lines here: `name,sps,:eq,:sum` is the data word.
_LINES: DataType[SeriesExpr | StyleExpr] = DataType("TimeSeriesExpr", _lines_only)


def _aggregate(function: Aggregate, summary: str) -> Word:
    def apply(expr: SeriesExpr) -> SeriesExpr:
        if isinstance(expr, AggregateExpr) and function is not Aggregate.COUNT:
            # A single line already.
            return expr
        return LineAggregate(function, expr)

    def within_style(lines: SeriesExpr | StyleExpr) -> SeriesExpr | StyleExpr:
        if isinstance(lines, StyleExpr):
            return lines.with_expr(apply(lines.expr))
        return apply(lines)

    return Word(
        name=str(function),
        action=takes(Parameter(type=_LINES, summary="input time series")).leaves(within_style),
        outputs=(SERIES,),
        summary=summary,
        examples=("name,sps,:eq,:sum", "name,sps,:eq,:max,(,nf.cluster,),:by"),
    )


AGGREGATION_WORDS = (
    _aggregate(Aggregate.SUM, "The sum over the lines of an expression."),
    _aggregate(Aggregate.COUNT, "The number of lines of an expression that have a value."),
    _aggregate(Aggregate.MIN, "The smallest value among the lines of an expression."),
    _aggregate(Aggregate.MAX, "The largest value among the lines of an expression."),
)
