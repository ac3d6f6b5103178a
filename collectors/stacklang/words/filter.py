"""Vocabulary ``filter``: choose lines."""

from __future__ import annotations

from collectors.stacklang.expressions.filter import (
    ConsolidateExpr,
    FilterExpr,
    PriorityExpr,
    StatExpr,
    StatPlaceholder,
    resolve_placeholders,
)
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.program.datatypes import CONSOLIDATION, DURATION, INT, SERIES, STRING
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word, macro
from collectors.stacklang.words.stateful import WORDS as STATEFUL_WORDS

_INPUT = Parameter(type=SERIES, summary="input time series")
_STAT = Parameter(type=STRING, name="stat", summary="avg, max, min, last, total or count")


def _filter(expr: SeriesExpr, condition: SeriesExpr) -> FilterExpr:
    return FilterExpr(expr, resolve_placeholders(expr, condition))


def _placeholder(stat: str) -> Word:
    return Word(
        name=f"stat-{stat}",
        action=takes().leaves(lambda: StatPlaceholder(stat)),
        outputs=(SERIES,),
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
    order = "largest" if name.startswith("topk") else "smallest"
    _, _, how = name.partition("-others-")
    rest = f" The others are shown as one line, their {how}." if how else ""
    size = Parameter(type=INT, name="k", summary="number of lines")
    return Word(
        name=name,
        action=takes(_INPUT, _STAT, size).leaves(
            lambda expr, stat, count: PriorityExpr(name, expr, stat, count)
        ),
        outputs=(SERIES,),
        summary=f"The `k` lines with the {order} value of a statistic.{rest}",
        examples=("name,sps,:eq,:sum,(,nf.cluster,),:by,max,5",),
        keeps_style=True,
    )


WORDS = Vocabulary(
    name="filter",
    depends_on=(STATEFUL_WORDS,),
    words=(
        Word(
            name="consolidate",
            action=takes(
                _INPUT,
                Parameter(type=CONSOLIDATION, name="cf"),
                Parameter(type=DURATION, name="newStep"),
            ).leaves(ConsolidateExpr),
            outputs=(SERIES,),
            summary="Values consolidated to a larger step, shown at the step of the graph. A step "
            "that is not a multiple of the graph's is rounded up to one.",
            examples=(":random,avg,5m",),
            keeps_style=True,
        ),
        Word(
            name="stat",
            action=takes(_INPUT, _STAT).leaves(StatExpr),
            outputs=(SERIES,),
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
            action=takes(
                Parameter(type=SERIES, name="t1", summary="lines"),
                Parameter(type=SERIES, name="t2", summary="condition"),
            ).leaves(_filter),
            outputs=(SERIES,),
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
