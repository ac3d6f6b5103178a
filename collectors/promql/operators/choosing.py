"""Aggregations that choose series of each group: ``topk``, ``limitk`` and their like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import xxhash

from collectors.budget import spend
from collectors.model import FloatArray, IntArray
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import Aggregation
from collectors.promql.language.numbers import number_text
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.values import BoolArray, Vector

_ORDER_BYTES = 48
_MAX_INT64 = 9223372036854775807.0
_Choice = Callable[[Context, Aggregation, Vector, IntArray, FloatArray], Vector]


def _ranks(ids: IntArray, order: IntArray) -> IntArray:
    """Return (S, T) the place of each series within its group, given an order of each column."""
    grouped = np.take_along_axis(order, np.argsort(ids[order], axis=0, kind="stable"), axis=0)
    sorted_ids = np.sort(ids)
    starts = np.searchsorted(sorted_ids, sorted_ids, side="left")
    places = (np.arange(len(ids)) - starts)[:, np.newaxis]
    ranks = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(ranks, grouped, np.broadcast_to(places, order.shape), axis=0)
    return ranks


def _sizes(k: FloatArray) -> FloatArray:
    """Return how many to choose at each step, at least 0."""
    if np.isnan(k).any():
        raise PromqlError("Parameter value is NaN")
    if (k >= _MAX_INT64).any():
        raise PromqlError(f"Scalar value {number_text(float(k.max()))} overflows int64")
    if (k <= -_MAX_INT64 - 1).any():
        raise PromqlError(f"Scalar value {number_text(float(k.min()))} underflows int64")
    return np.maximum(np.trunc(k), 0)


def _kept(vector: Vector, present: BoolArray) -> Vector:
    rows = np.flatnonzero(present.any(axis=1))
    return replace(vector, present=present).take(rows)


def _extremes(
    context: Context, node: Aggregation, vector: Vector, ids: IntArray, k: FloatArray
) -> Vector:
    sizes = _sizes(k)
    if not vector.labels.size:
        return vector
    spend(_ORDER_BYTES * vector.values.size, "the order of series")
    values = -vector.values if node.op == "topk" else vector.values
    # What is missing stands last, NaN before it.
    level = np.where(vector.present, np.isnan(values).astype(np.int8), 2)
    by_value = np.argsort(values, axis=0, kind="stable")
    by_level = np.argsort(np.take_along_axis(level, by_value, axis=0), axis=0, kind="stable")
    order = np.take_along_axis(by_value, by_level, axis=0)
    present = vector.present & (_ranks(ids, order) < sizes)
    if context.steps != 1:
        return _kept(vector, present)
    # An instant's answer is in order within each group.
    rows = order[:, 0][present[order[:, 0], 0]]
    rows = rows[np.argsort(ids[rows], kind="stable")]
    return replace(vector, present=present).take(rows)


def _limit(
    context: Context, node: Aggregation, vector: Vector, ids: IntArray, k: FloatArray
) -> Vector:
    del context, node
    sizes = _sizes(k)
    if not vector.labels.size:
        return vector
    spend(_ORDER_BYTES * vector.values.size, "the order of series")
    order = np.argsort(~vector.present, axis=0, kind="stable")
    return _kept(vector, vector.present & (_ranks(ids, order) < sizes))


def _ratio(
    context: Context, node: Aggregation, vector: Vector, ids: IntArray, k: FloatArray
) -> Vector:
    del ids
    if np.isnan(k).any():
        raise PromqlError("Ratio value is NaN")
    capped = np.clip(k, -1, 1)
    for value, limit in zip(k[k != capped][:1], capped[k != capped][:1], strict=True):
        if node.param is not None:
            context.notes.warn(
                f"ratio value should be between -1 and 1, got {number_text(float(value))}, "
                f"capping to {number_text(float(limit))}",
                node.param,
            )
    places = _hashes(vector)[:, np.newaxis]
    chosen = np.where(capped >= 0, places < capped, places >= 1.0 + capped)
    return _kept(vector, vector.present & chosen)


def _hashes(vector: Vector) -> FloatArray:
    """Return for each series a number of [0, 1) that depends on its labels alone."""
    found = [
        xxhash.xxh64_intdigest(
            b"".join(
                f"{name}\xff{value}\xff".encode("latin-1", "replace") for name, value in one.items()
            )
        )
        for one in vector.labels.dicts()
    ]
    return np.array(found, dtype=np.float64) / float(1 << 64)


CHOICES: Mapping[str, _Choice] = {
    "topk": _extremes,
    "bottomk": _extremes,
    "limitk": _limit,
    "limit_ratio": _ratio,
}
"""Each by its name."""
