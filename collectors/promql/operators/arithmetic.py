"""Arithmetic and comparison of numbers in columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from collectors.model import FloatArray
from collectors.promql.language.nodes import Binary
from collectors.promql.vectors.values import BoolArray, Scalar, Vector

ARITHMETIC: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, Callable[[FloatArray, FloatArray], BoolArray]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def computed(op: str, left: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``left op right``; 1 and 0 for a comparison. Division by zero is infinite."""
    with np.errstate(all="ignore"):
        if op in COMPARISON:
            return COMPARISON[op](left, right).astype(np.float64)
        return ARITHMETIC[op](left, right)


def between_scalars(op: str, left: Scalar, right: Scalar) -> Scalar:
    """Return an operator between two numbers."""
    return Scalar(values=computed(op, left.values, right.values))


def vector_with_scalar(
    node: Binary, vector: Vector, scalar: FloatArray, *, swapped: bool
) -> Vector:
    """Return an operator between a vector and a number, which stands left if ``swapped``."""
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    found = computed(node.op, left, right)
    if node.op not in COMPARISON:
        return vector.mapped(found)
    if node.return_bool:
        return vector.mapped(found)
    return replace(vector, present=vector.present & (found > 0))
