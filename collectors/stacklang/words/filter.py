"""Vocabulary ``filter``: choose lines."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expressions.filter import (
    ConsolidateExpr,
    FilterExpr,
    PriorityExpr,
    StatExpr,
    StatPlaceholder,
    resolve_placeholders,
)
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.database import Consolidation
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import CONSOLIDATION, DURATION, INT, SERIES, STRING
from collectors.stacklang.program.word import Parameter, Vocabulary, Word, macro
from collectors.stacklang.text.durations import Duration
from collectors.stacklang.words.stateful import STATEFUL_WORDS

_INPUT = Parameter(type=SERIES, summary="input time series")
_STAT = Parameter(type=STRING, name="stat", summary="avg, max, min, last, total or count")


def _stat(context: Context, params: Sequence[object]) -> None:
    expr, stat = params
    if isinstance(expr, SeriesExpr):
        context.push(StatExpr(expr, str(stat)))


def _filter(context: Context, params: Sequence[object]) -> None:
    expr, condition = params
    if isinstance(expr, SeriesExpr) and isinstance(condition, SeriesExpr):
        context.push(FilterExpr(expr, resolve_placeholders(expr, condition)))


def _consolidate(context: Context, params: Sequence[object]) -> None:
    expr, function, step = params
    if (
        isinstance(expr, SeriesExpr)
        and isinstance(function, Consolidation)
        and isinstance(step, Duration)
    ):
        context.push(ConsolidateExpr(expr, function, step))


def _placeholder(stat: str) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        del params
        context.push(StatPlaceholder(stat))

    return Word(
        name=f"stat-{stat}",
        parameters=(),
        outputs=(SERIES,),
        run=run,
        summary=f"Within `:filter`: the `{stat}` of the lines that are filtered.",
        examples=("", "name,sps,:eq,:sum"),
    )


def _legacy(stat: str) -> Word:
    return macro(
        f"stat-{stat}-mf",
        f"{stat},:stat",
        parameters=(_INPUT,),
        outputs=(SERIES,),
        summary=f"A flat line at the `{stat}`.",
        examples=("42",),
    )


def _priority(name: str) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        expr, stat, count = params
        if isinstance(expr, SeriesExpr) and isinstance(count, int):
            context.push(PriorityExpr(name, expr, str(stat), count))

    order = "largest" if name.startswith("topk") else "smallest"
    _, _, how = name.partition("-others-")
    rest = f" The others are shown as one line, their {how}." if how else ""
    return Word(
        name=name,
        parameters=(_INPUT, _STAT, Parameter(type=INT, name="k", summary="number of lines")),
        outputs=(SERIES,),
        run=run,
        summary=f"The `k` lines with the {order} value of a statistic.{rest}",
        examples=("name,sps,:eq,:sum,(,nf.cluster,),:by,max,5",),
        keeps_style=True,
    )


FILTER_WORDS = Vocabulary(
    name="filter",
    depends_on=(STATEFUL_WORDS,),
    words=(
        Word(
            name="consolidate",
            parameters=(
                _INPUT,
                Parameter(type=CONSOLIDATION, name="cf"),
                Parameter(type=DURATION, name="newStep"),
            ),
            outputs=(SERIES,),
            run=_consolidate,
            summary="Values consolidated to a larger step, shown at the step of the graph. A step "
            "that is not a multiple of the graph's is rounded up to one.",
            examples=(":random,avg,5m",),
            keeps_style=True,
        ),
        Word(
            name="stat",
            parameters=(_INPUT, _STAT),
            outputs=(SERIES,),
            run=_stat,
            summary="A flat line at a statistic of each line.",
            examples=tuple(
                f"name,sps,:eq,:sum,{stat}"
                for stat in ("avg", "max", "min", "last", "total", "count")
            ),
            keeps_style=True,
        ),
        *(_placeholder(stat) for stat in ("avg", "max", "min", "last", "count", "total")),
        Word(
            name="filter",
            parameters=(
                Parameter(type=SERIES, name="t1", summary="lines"),
                Parameter(type=SERIES, name="t2", summary="condition"),
            ),
            outputs=(SERIES,),
            run=_filter,
            summary="The lines for which the condition is true somewhere in the window.",
            examples=("name,sps,:eq,:sum,(,nf.cluster,),:by,:stat-max,30e3,:gt",),
        ),
        _legacy("min"),
        _legacy("max"),
        _legacy("avg"),
        *(
            _priority(f"{order}{suffix}")
            for order in ("bottomk", "topk")
            for suffix in ("", "-others-min", "-others-max", "-others-sum", "-others-avg")
        ),
    ),
)
