"""Vocabulary ``data``: fetch and aggregate."""

from __future__ import annotations

from collections.abc import Callable

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.data import AggregateExpr, AllSeries, DataExpr, GroupedData
from collectors.stacklang.expressions.rewrites import expand_rewrites
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.database import Aggregate, Consolidation
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.datatypes import (
    AGGREGATE,
    DATA,
    DURATION,
    QUERY,
    SERIES,
    STRING_LIST,
)
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.durations import Duration
from collectors.stacklang.words.query import WORDS as QUERY_WORDS


def _fetch(
    name: str,
    make: Callable[[Query], DataExpr],
    summary: str,
    examples: tuple[str, ...] = ("name,sps,:eq",),
) -> Word:
    return Word(
        name=name,
        action=takes(Parameter(type=QUERY, name="q", summary="which series")).leaves(make),
        outputs=(DATA,),
        summary=summary,
        examples=examples,
    )


def _aggregate(function: Aggregate, summary: str) -> Word:
    return _fetch(str(function), lambda query: AggregateExpr(query, function), summary)


def _offset(expr: SeriesExpr, duration: Duration) -> SeriesExpr:
    return expr.with_offset(duration)


def _consolidate(function: Consolidation, summary: str) -> Word:
    def change(node: Expr) -> Expr | None:
        return node.with_consolidation(function) if isinstance(node, AggregateExpr) else None

    def consolidated(expr: SeriesExpr) -> Expr:
        # A rewrite can't show a consolidation of its own, so what it stands for is shown.
        return expand_rewrites(expr).rewrite(change)

    return Word(
        name=f"cf-{function}",
        action=takes(Parameter(type=SERIES, summary="input time series")).leaves(consolidated),
        outputs=(SERIES,),
        summary=f"Consolidate to a larger step by the {summary} of the values of each series, "
        "before series are aggregated.",
        examples=tuple(
            f"name,sps,:eq{word}" for word in ("", ",:min", ",:max", ",:sum", ",:count")
        ),
        keeps_style=True,
    )


WORDS = Vocabulary(
    name="data",
    depends_on=(QUERY_WORDS,),
    words=(
        _fetch(
            "all",
            AllSeries,
            "Every series that matches, each a line. For debugging; use `:by` otherwise.",
            ("name,sps,:eq,nf.cluster,nccp-ps3,:eq,:and",),
        ),
        _aggregate(
            Aggregate.SUM,
            "The sum over all series that match. This is also what a bare query means. "
            "Missing values are left out.",
        ),
        _aggregate(Aggregate.COUNT, "The number of series that match and have a value."),
        _aggregate(Aggregate.MIN, "The smallest value among the series that match."),
        _aggregate(Aggregate.MAX, "The largest value among the series that match."),
        Word(
            name="by",
            action=takes(
                Parameter(type=AGGREGATE, name="af", summary="aggregate within a group"),
                Parameter(type=STRING_LIST, name="keys", summary="tag keys"),
            ).leaves(GroupedData),
            outputs=(DATA,),
            summary="A line for each combination of the values of `keys`. "
            "Series that lack one of the keys are left out.",
            examples=(
                "name,sps,:eq,(,name,)",
                "name,sps,:eq,:max,(,nf.cluster,)",
                "name,sps,:eq,nf.cluster,nccp-silverlight,:eq,:and,(,nf.asg,nf.zone,)",
            ),
        ),
        Word(
            name="offset",
            action=takes(
                Parameter(type=SERIES, summary="input time series"),
                Parameter(type=DURATION, name="duration", summary="how far back"),
            ).leaves(_offset),
            outputs=(SERIES,),
            summary="Show data from earlier, for instance the week before.",
            examples=("name,sps,:eq,(,name,),:by,1w", "name,sps,:eq,:max,PT1H"),
            keeps_style=True,
        ),
        _consolidate(Consolidation.AVG, "average"),
        _consolidate(Consolidation.SUM, "sum"),
        _consolidate(Consolidation.MIN, "smallest"),
        _consolidate(Consolidation.MAX, "largest"),
    ),
)
