"""The set operators: ``and``, ``or`` and ``unless``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collectors.promql.language.nodes import Binary
from collectors.promql.operators.matching import per_group, signatures
from collectors.promql.vectors.values import Vector, below


def set_operation(node: Binary, left: Vector, right: Vector) -> Vector:
    """Return the series of both sides that the operator keeps, step by step."""
    left_ids, right_ids, groups = signatures(node.matching, left.labels, right.labels)
    if node.op == "or":
        taken = per_group(left_ids, left.present, groups) > 0
        added = right.present & ~taken[right_ids]
        return _present_rows(below([left, replace(right, present=added)]))
    there = (per_group(right_ids, right.present, groups) > 0)[left_ids]
    kept = left.present & (there if node.op == "and" else ~there)
    return _present_rows(replace(left, present=kept))


def _present_rows(vector: Vector) -> Vector:
    return vector.take(np.flatnonzero(vector.present.any(axis=1)))
