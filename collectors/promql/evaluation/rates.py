"""Sums of rates in one pass: what dashboards and rules ask most."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from collectors.budget import look
from collectors.promql.functions.of_windows import tell_of_gauges
from collectors.promql.language.nodes import Call, Edge, MatrixSelector, Node, bare
from collectors.promql.operators.adding import Adding
from collectors.promql.samples import grouped_rates
from collectors.promql.samples.columns import Samples
from collectors.promql.vectors.context import Context

_RATES = ("rate", "increase", "delta")


def rate_of(context: Context, node: Node) -> tuple[Call, MatrixSelector] | None:
    """Return the call and its range where an expression is a rate, an increase or a delta."""
    call = bare(node)
    if not isinstance(call, Call) or call.function not in _RATES:
        return None
    matrix = bare(call.args[0])
    if not isinstance(matrix, MatrixSelector) or matrix.selector.edge is not Edge.PLAIN:
        return None
    steady = len(context.ends(matrix.selector.at, 0)) == context.steps
    return (call, matrix) if steady else None


def add_rates(
    context: Context,
    call: Call,
    matrix: MatrixSelector,
    parts: Iterable[Samples],
    adding: Adding,
) -> None:
    """Add the rates of all parts to their groups; call and range are those of :func:`rate_of`."""
    ends = context.ends(matrix.selector.at, context.ms(matrix.selector.offset))
    range_ms = context.ms(matrix.range, positive=True)
    room = np.zeros((6, len(ends)))
    for part in parts:
        look()
        samples = part.fresh()
        if call.function != "delta":
            tell_of_gauges(context.notes, samples.labels, call.args[0])
        flags = np.ones(samples.labels.size, dtype=np.bool_)
        ids = adding.groups(samples.labels, flags)
        grouped_rates.add_rates(
            samples.times,
            samples.values,
            samples.offsets,
            ids,
            ends,
            range_ms,
            call.function != "delta",
            call.function == "rate",
            room,
            adding.total,
            adding.gone,
            adding.counts,
        )
