"""Aggregations: groups of series become one, or some of their series are chosen."""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.labels.table import Labels
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import Aggregation
from collectors.promql.language.numbers import number_text
from collectors.promql.operators import choosing
from collectors.promql.samples import groups as kernels
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.values import (
    BoolArray,
    Scalar,
    Text,
    Value,
    Vector,
    empty_vector,
    united,
    vector_of,
)

MAX_COUNTED_VALUES = 10_000
"""Distinct values that ``count_values`` may find."""


def aggregate(context: Context, node: Aggregation, vector: Vector, param: Value | None) -> Vector:
    """Return an aggregation of a vector."""
    kept = group_labels(node, vector.labels)
    ids, first = kept.ids()
    if node.op == "count_values" and isinstance(param, Text):
        return _count_values(node, vector, param.value)
    if isinstance(param, Scalar) and node.op in choosing.CHOICES:
        return choosing.CHOICES[node.op](context, node, vector, ids, param.values)
    if not vector.labels.size:
        return empty_vector(vector.labels, context.steps)
    labels = kept.take(first)
    context.reserve(2 * labels.size)
    counts = np.zeros((labels.size, context.steps))
    if isinstance(param, Scalar):
        values = _quantiles(context, node, vector, ids, param.values)
        kernels.count_groups(ids, vector.present, counts)
    else:
        values = _reduced(node.op, vector, ids, counts)
    # A name that is to be dropped is dropped from a group as from its series.
    flags = np.zeros(labels.size, dtype=np.bool_)
    flags[ids[vector.drop_name]] = True
    found = Vector(labels=labels, values=values, present=counts > 0, drop_name=flags)
    return found.take(np.flatnonzero(found.present.any(axis=1)))


def group_labels(node: Aggregation, labels: Labels) -> Labels:
    """Return what is left of the labels of each series: its group."""
    if node.without:
        return labels.without([NAME_LABEL, *node.grouping])
    return labels.only(node.grouping)


def _reduced(op: str, vector: Vector, ids: IntArray, counts: FloatArray) -> FloatArray:
    """Return (G, T) values and fill how many series each is of."""
    values, present = vector.values, vector.present
    out = np.zeros(counts.shape)
    if op in ("count", "group"):
        kernels.count_groups(ids, present, counts)
        return counts.copy() if op == "count" else np.ones(counts.shape)
    if op in ("min", "max"):
        kernels.extreme_groups(ids, values, present, op == "max", out, counts)
        return out
    gone = np.zeros(counts.shape)
    if op in ("sum", "avg"):
        kernels.sum_groups(ids, values, present, out, gone, counts)
        return _sum_or_mean(op, vector, ids, out, gone, counts)
    squares, squares_gone = np.zeros(counts.shape), np.zeros(counts.shape)
    kernels.variance_groups(ids, values, present, out, gone, squares, squares_gone, counts)
    with np.errstate(all="ignore"):
        variance = (squares + squares_gone) / counts
        return np.sqrt(variance) if op == "stddev" else variance


def _sum_or_mean(
    op: str, vector: Vector, ids: IntArray, out: FloatArray, gone: FloatArray, counts: FloatArray
) -> FloatArray:
    if op == "sum":
        kernels.finish_sums(out, gone)
        return out
    with np.errstate(all="ignore"):
        means = np.where(np.isinf(out), out, out / counts + gone / counts)
    if np.isinf(out).any():
        # A sum that is too large for a float may still have a mean.
        again, lost, seen = np.zeros(out.shape), np.zeros(out.shape), np.zeros(out.shape)
        kernels.average_groups(ids, vector.values, vector.present, again, lost, seen)
        kernels.finish_sums(again, lost)
        means = np.where(np.isinf(out), again, means)
    return means


def _quantiles(
    context: Context, node: Aggregation, vector: Vector, ids: IntArray, q: FloatArray
) -> FloatArray:
    """Return (G, T) quantiles over the series of each group."""
    bad = np.isnan(q) | (q < 0) | (q > 1)
    if bad.any() and node.param is not None:
        context.notes.warn(
            f"quantile value should be between 0 and 1, got {number_text(float(q[bad][0]))}",
            node.param,
        )
    out = np.full((int(ids.max(initial=-1)) + 1, vector.present.shape[1]), np.nan)
    order = np.argsort(ids, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(ids[order])) + 1, len(order))
    begin = 0
    for end in ends.tolist():
        rows = order[begin:end]
        out[ids[rows[0]]] = column_quantiles(vector.values[rows], vector.present[rows], q)
        begin = end
    return out


def column_quantiles(values: FloatArray, present: BoolArray, q: FloatArray) -> FloatArray:
    """Return (T,) the ``q``-quantile of what is present in each column, NaN counting as least."""
    # Infinity stands behind what is present; NaN, which numpy sorts last, stands first.
    missing = ~present
    nans = (np.isnan(values) & present).sum(axis=0)
    counts = present.sum(axis=0)
    ordered = np.sort(np.where(missing | np.isnan(values), np.inf, values), axis=0)
    columns = np.arange(values.shape[1])

    def at(rank: IntArray) -> FloatArray:
        found = ordered[np.clip(rank - nans, 0, len(values) - 1), columns]
        return np.where(rank < nans, np.nan, found)

    with np.errstate(all="ignore"):
        rank = np.where(np.isfinite(q), q, 0) * (counts - 1)
        lower = np.maximum(0, np.floor(rank)).astype(np.int64)
        upper = np.minimum(np.maximum(counts - 1, 0), lower + 1)
        weight = rank - np.floor(rank)
        found = at(lower) * (1 - weight) + at(upper) * weight
    found = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
    return np.where(np.isnan(q) | (counts == 0), np.nan, found)


def _count_values(node: Aggregation, vector: Vector, name: str) -> Vector:
    """Return how many series have each value, the value in a label."""
    try:
        valid = bool(name) and name.encode("utf-8") is not None
    except UnicodeEncodeError:
        valid = False
    if not valid:
        shown = name.encode("utf-8", "surrogateescape")
        text = "".join(chr(byte) if byte < 128 else f"\\x{byte:02x}" for byte in shown)
        raise PromqlError(f'invalid label name "{text}"')
    rows, steps = np.nonzero(vector.present)
    # NaN is one value, and so is zero, whatever its sign.
    found, which = np.unique(vector.values[rows, steps], return_inverse=True)
    if len(found) > MAX_COUNTED_VALUES:
        raise PromqlError(
            f"count_values found {len(found)} values, limit of {MAX_COUNTED_VALUES}; round them"
        )
    kept = group_labels(node, vector.labels)
    pairs, first = np.unique(rows * max(1, len(found)) + which.reshape(-1), return_inverse=True)
    row, value = pairs // max(1, len(found)), pairs % max(1, len(found))
    words = kept.words
    numbers = words.numbers(number_text(number) for number in found.tolist())
    labels = kept.take(row).replaced(name, numbers[value])
    counts = np.zeros((len(pairs), vector.present.shape[1]))
    counts[first.reshape(-1), steps] = 1.0
    ids, firsts = labels.ids()
    summed = np.zeros((len(firsts), counts.shape[1]))
    np.add.at(summed, ids, counts)
    return united(vector_of(labels.take(firsts), summed, summed > 0))
