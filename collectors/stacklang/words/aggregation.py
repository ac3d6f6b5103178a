"""Words of ``math`` that make one line of the lines of an expression."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expressions.aggregation import LineAggregate
from collectors.stacklang.expressions.data import AggregateExpr
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import MISMATCH as _MISMATCH
from collectors.stacklang.program.datatypes import SERIES, DataType
from collectors.stacklang.program.word import Parameter, Word


def _lines_only(item: object) -> object:
    return item if isinstance(item, SeriesExpr | StyleExpr) else _MISMATCH


# A number or a query is not taken for lines here: `name,sps,:eq,:sum` is the data word.
_LINES = DataType("TimeSeriesExpr", _lines_only)


def _aggregate(function: Aggregate, summary: str) -> Word:
    def apply(expr: SeriesExpr) -> SeriesExpr:
        if isinstance(expr, AggregateExpr) and function is not Aggregate.COUNT:
            # A single line already.
            return expr
        return LineAggregate(function, expr)

    def run(context: Context, params: Sequence[object]) -> None:
        (expr,) = params
        if isinstance(expr, StyleExpr):
            context.push(expr.with_expr(apply(expr.expr)))
        elif isinstance(expr, SeriesExpr):
            context.push(apply(expr))

    return Word(
        name=str(function),
        parameters=(Parameter(type=_LINES, summary="input time series"),),
        outputs=(SERIES,),
        run=run,
        summary=summary,
        examples=("name,sps,:eq,:sum", "name,sps,:eq,:max,(,nf.cluster,),:by"),
    )


AGGREGATION_WORDS = (
    _aggregate(Aggregate.SUM, "The sum over the lines of an expression."),
    _aggregate(Aggregate.COUNT, "The number of lines of an expression that have a value."),
    _aggregate(Aggregate.MIN, "The smallest value among the lines of an expression."),
    _aggregate(Aggregate.MAX, "The largest value among the lines of an expression."),
)
