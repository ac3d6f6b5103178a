"""Aggregations over many series, some of them at a time.

A sum of rates over 100,000 series need not have all rates at once. Where an aggregation stands over
one selector, with nothing between but what is done to each series by itself, series are selected,
computed and added up part by part. Rates are added up as they are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from collectors.promql.evaluation.rates import add_rates, rate_of
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.language.checking import kind_of
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    Edge,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    Unary,
    ValueKind,
    VectorSelector,
)
from collectors.promql.language.signatures import SIGNATURES
from collectors.promql.operators.adding import ADDED, Adding
from collectors.promql.samples.columns import FoundSamples, Samples
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.values import Value, Vector

# What looks at more than one series, or at none.
_NOT_APART = frozenset(
    [
        "absent",
        "absent_over_time",
        "histogram_fraction",
        "histogram_quantile",
        "histogram_quantiles",
        "info",
        "label_join",
        "label_replace",
        "scalar",
        "sort",
        "sort_by_label",
        "sort_by_label_desc",
        "sort_desc",
        "vector",
    ]
)
Evaluate = Callable[[Context, Node], Value]


def lone_selector(node: Node) -> VectorSelector | MatrixSelector | None:
    """Return the one selector of an expression that computes each series by itself, else None."""
    match node:
        case VectorSelector() | MatrixSelector():
            return node
        case Paren(expr=inner) | Unary(expr=inner):
            return lone_selector(inner)
        case Binary(left=left, right=right):
            if isinstance(right, NumberLiteral):
                return lone_selector(left)
            return lone_selector(right) if isinstance(left, NumberLiteral) else None
        case Call(function=name, args=args) if name not in _NOT_APART:
            if SIGNATURES[name].result is not ValueKind.VECTOR or not args:
                return None
            over = [arg for arg in args if kind_of(arg) in (ValueKind.VECTOR, ValueKind.MATRIX)]
            others = [arg for arg in args if arg not in over]
            if len(over) != 1 or not all(isinstance(arg, NumberLiteral) for arg in others):
                return None
            return lone_selector(over[0])
        case _:
            return None


def in_parts(context: Context, node: Aggregation, evaluate: Evaluate) -> Vector | None:
    """Return an aggregation computed part by part; None where that can't be."""
    selector = lone_selector(node.expr)
    if selector is None or node.op not in ADDED or not context.steps:
        return None
    vector = selector.selector if isinstance(selector, MatrixSelector) else selector
    # Series of several names may become the same without them, which is told as an error.
    if not vector.name or vector.edge is not Edge.PLAIN:
        return None
    names = None
    if not node.without and NAME_LABEL not in node.grouping:
        # Series without their other labels may be alike, so that nothing may look at that.
        names = (NAME_LABEL, *node.grouping)
        context = replace(context, options=replace(context.options, delayed_names=True))
    adding = Adding(context, node)
    parts = _samples(context, selector, names)
    rate = rate_of(context, node.expr) if node.op not in ("min", "max") else None
    if rate is not None:
        add_rates(context, *rate, parts, adding)
        return adding.result()
    for samples in parts:
        value = evaluate(replace(context, source=FoundSamples(samples)), node.expr)
        if isinstance(value, Vector):
            adding.add(value)
    return adding.result()


def _samples(
    context: Context, selector: VectorSelector | MatrixSelector, names: tuple[str, ...] | None
) -> Iterator[Samples]:
    range_ms = context.options.lookback_ms
    vector = selector.selector if isinstance(selector, MatrixSelector) else selector
    if isinstance(selector, MatrixSelector):
        range_ms = context.ms(selector.range, positive=True)
    ends = context.ends(vector.at, context.ms(vector.offset))
    first_ms, last_ms = int(ends[0]) - range_ms, int(ends[-1])
    return context.source.parts(vector.matchers, first_ms, last_ms, context.words, names)
