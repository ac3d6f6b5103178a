"""Words of ``math`` that group lines: ``:by`` over a whole expression, and ``:cg``."""

from __future__ import annotations

from dataclasses import replace

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.aggregation import GroupedLines, LineAggregate
from collectors.stacklang.expressions.data import AggregateExpr, GroupedData
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr, rewrite_series
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.predicates.predicate import Predicate
from collectors.stacklang.program.datatypes import SERIES, STRING_LIST
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Word

Keys = tuple[str, ...]
_KEYS = Parameter(type=STRING_LIST, name="keys", summary="tag keys")
_INPUT = Parameter(type=SERIES, summary="input time series")


def group_lines(expr: SeriesExpr, keys: Keys) -> SeriesExpr:
    """Group an expression by ``keys``.

    Lines that are grouped already are aggregated again, by their explicit aggregate or by their
    sum; otherwise every aggregate within the expression is grouped.
    """
    if isinstance(expr, LineAggregate) and expr.expr.is_grouped:
        return GroupedLines(expr, keys)
    if expr.is_grouped:
        return GroupedLines(LineAggregate(Aggregate.SUM, expr), keys)

    def group(node: Expr) -> Expr | None:
        if isinstance(node, NamedRewrite):
            return node.group_by(keys)
        if isinstance(node, AggregateExpr):
            return GroupedData(node, keys)
        if isinstance(node, LineAggregate) and node.expr.is_grouped:
            return GroupedLines(node, keys)
        return None

    return rewrite_series(expr, group)


def add_keys(expr: SeriesExpr, keys: Keys) -> SeriesExpr:
    """Add ``keys`` to every grouping within an expression."""

    def extend(node: Expr) -> Expr | None:
        match node:
            case NamedRewrite() if isinstance(node.display, Predicate):
                if node.evaluated.is_grouped:
                    return replace(node, evaluated=add_keys(node.evaluated, keys))
                return node.group_by(keys)
            case AggregateExpr():
                return GroupedData(node, keys)
            case LineAggregate(function, inner):
                grouped = add_keys(inner, keys)
                if not grouped.is_grouped:
                    return node
                return GroupedLines(LineAggregate(function, grouped), keys)
            case GroupedData(source, known):
                return GroupedData(source, _merge(known, keys))
            case GroupedLines(source, known):
                inner = LineAggregate(source.function, add_keys(source.expr, keys))
                return GroupedLines(inner, _merge(known, keys))
            case _:
                return None

    return rewrite_series(expr, extend)


def _merge(known: Keys, keys: Keys) -> Keys:
    return (*known, *(key for key in keys if key not in known))


GROUP_BY = Word(
    name="by",
    action=takes(_INPUT, _KEYS).leaves(group_lines),
    outputs=(SERIES,),
    summary="Group everything that an expression aggregates. Lines that are grouped already are "
    "grouped again by some of their keys, added up unless another aggregate was given.",
    examples=("name,sps,:eq,:avg,(,nf.cluster,)",),
)

COMMON_GROUP_BY = Word(
    name="cg",
    action=takes(_INPUT, _KEYS).leaves(add_keys),
    outputs=(SERIES,),
    summary="Add keys to every grouping within an expression.",
    examples=("name,sps,:eq,(,nf.region,)", "name,bar,:eq,(,nf.node,),:by,(,nf.region,)"),
    keeps_style=True,
    shown_signature="Expr keys:List -- Expr",
)
