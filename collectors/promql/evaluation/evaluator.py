"""The walk over the nodes of an expression."""

from __future__ import annotations

import numpy as np

from collectors.budget import look
from collectors.promql.evaluation.parts import in_parts
from collectors.promql.functions.registry import FUNCTIONS, Arguments
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    Edge,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
    bare,
)
from collectors.promql.operators.aggregating import aggregate
from collectors.promql.operators.arithmetic import (
    between_scalars,
    vector_with_scalar,
)
from collectors.promql.operators.matching import between_vectors
from collectors.promql.operators.sets import set_operation
from collectors.promql.vectors.context import MAX_QUERY_POINTS, Context
from collectors.promql.vectors.selecting import (
    Windows,
    samples_of,
    select_instants,
    select_windows,
)
from collectors.promql.vectors.values import Scalar, Text, Value, Vector, dropped_names

MAX_SUBQUERY_POINTS = 10 * MAX_QUERY_POINTS
"""Steps that one subquery may have."""


def evaluate(context: Context, node: Node) -> Value:
    """Return the value of an expression at each step of ``context``.

    Raises:
        PromqlError: It has no answer with these samples.
        TooCostlyError: It needs more than a query may take.
    """
    look()
    match node:
        case NumberLiteral(value=number):
            return Scalar(values=np.full(context.steps, number))
        case StringLiteral(value=text):
            return Text(value=text)
        case Paren(expr=inner):
            return evaluate(context, inner)
        case VectorSelector():
            if node.edge is not Edge.PLAIN:
                raise PromqlError(
                    f"{node.edge} is known for range selectors only, as in x[5m] {node.edge}"
                )
            return select_instants(context, node)
        case Unary():
            return _unary(context, node)
        case Binary():
            return _binary(context, node)
        case Aggregation():
            return _aggregation(context, node)
        case Call():
            return _call(context, node)
        case _:
            raise PromqlError("a range vector has no value at a step")


def _unary(context: Context, node: Unary) -> Value:
    value = evaluate(context, node.expr)
    if node.op == "+":
        return value
    if isinstance(value, Scalar):
        return Scalar(values=-value.values)
    return _named(context, _vector(value).mapped(-_vector(value).values))


def _binary(context: Context, node: Binary) -> Value:
    left, right = evaluate(context, node.left), evaluate(context, node.right)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return between_scalars(node.op, left, right)
    if isinstance(left, Scalar):
        found = vector_with_scalar(node, _vector(right), left.values, swapped=True)
    elif isinstance(right, Scalar):
        found = vector_with_scalar(node, _vector(left), right.values, swapped=False)
    elif node.op in ("and", "or", "unless"):
        return set_operation(node, _vector(left), _vector(right))
    else:
        found = between_vectors(node, _vector(left), _vector(right))
    return _named(context, found)


def _aggregation(context: Context, node: Aggregation) -> Value:
    found = in_parts(context, node, evaluate)
    if found is not None:
        return found
    vector = _vector(evaluate(context, node.expr))
    param = None if node.param is None else evaluate(context, node.param)
    return aggregate(context, node, vector, param)


def _call(context: Context, node: Call) -> Value:
    values = [
        None if isinstance(bare(arg), MatrixSelector | Subquery) else _argument(context, node, arg)
        for arg in node.args
    ]
    ranges = [arg for arg, value in zip(node.args, values, strict=True) if value is None]
    windows = windows_of(context, bare(ranges[0])) if ranges else None
    arguments = Arguments(context=context, node=node, values=values, windows=windows)
    found = FUNCTIONS[node.function](arguments)
    return _named(context, found) if isinstance(found, Vector) else found


def _argument(context: Context, node: Call, arg: Node) -> Value:
    # These look at selectors themselves, not at their values.
    if node.function == "timestamp" and isinstance(bare(arg), VectorSelector):
        return Scalar(values=np.zeros(0))
    if node.function == "info" and arg is not node.args[0]:
        return Scalar(values=np.zeros(0))
    return evaluate(context, arg)


def windows_of(context: Context, node: Node) -> Windows:
    """Return the samples of a range selector, or of a subquery."""
    if isinstance(node, MatrixSelector):
        return select_windows(context, node)
    if not isinstance(node, Subquery):
        raise PromqlError("expected a range vector")
    return _subquery(context, node)


def _subquery(context: Context, node: Subquery) -> Windows:
    range_ms = context.ms(node.range, positive=True)
    step_ms = context.options.subquery_step_ms
    if node.step is not None:
        step_ms = context.ms(node.step, positive=True)
    ends = context.ends(node.at, context.ms(node.offset))
    first, last = (int(ends[0]), int(ends[-1])) if len(ends) else (0, -range_ms)
    start = ((first - range_ms) // step_ms + 1) * step_ms
    count = max(0, (last - start) // step_ms + 1)
    if count > MAX_SUBQUERY_POINTS:
        raise PromqlError(
            f"a subquery of {count} steps, limit of {MAX_SUBQUERY_POINTS}; ask for a larger step"
        )
    times = start + np.arange(count, dtype=np.int64) * step_ms
    inner = _vector(evaluate(context.at_times(times, step_ms), node.expr))
    return Windows(
        samples=samples_of(inner, times),
        ends=ends,
        range_ms=range_ms,
        edge=Edge.PLAIN,
        steps=context.steps,
    )


def _vector(value: Value) -> Vector:
    if not isinstance(value, Vector):
        raise PromqlError("expected an instant vector")
    return value


def _named(context: Context, vector: Vector) -> Vector:
    """Drop names now, unless that waits for the end of the query."""
    if context.options.delayed_names:
        return vector
    return dropped_names(vector)
