"""What the mathematical words do to values, element by element, as Atlas defines it.

Every function takes float64 arrays (or scalars) of one shape and returns one of that shape.
``NaN`` means that there is no value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from collectors.model import FloatArray
from collectors.stacklang.lines.database import Aggregate

_TRUTH_THRESHOLD = 1e-12

Unary = Callable[[FloatArray], FloatArray]
Binary = Callable[[FloatArray, FloatArray], FloatArray]


def truth(values: FloatArray) -> FloatArray:
    """Return 1 where a value is present and not near zero, else 0."""
    return (np.abs(values) >= _TRUTH_THRESHOLD).astype(np.float64)


def add(left: FloatArray, right: FloatArray) -> FloatArray:
    """Add; a missing side counts as zero unless both are missing."""
    total = left + right
    return np.where(np.isnan(left), right, np.where(np.isnan(right), left, total))


def subtract(left: FloatArray, right: FloatArray) -> FloatArray:
    """Subtract; a missing side counts as zero unless both are missing."""
    return add(left, -right)


def divide(left: FloatArray, right: FloatArray) -> FloatArray:
    """Divide; 0/0 is 0, as nothing happened, and x/0 is NaN, as nobody can draw infinity."""
    by_zero = np.where(left == 0.0, 0.0, np.nan)
    return np.where(right == 0.0, by_zero, left / np.where(right == 0.0, 1.0, right))


def power(left: FloatArray, right: FloatArray) -> FloatArray:
    """Raise to a power as Java's ``Math.pow`` does, which differs from C at NaN and infinity."""
    raised = np.power(left, right)
    undefined = (np.isnan(right)) | ((np.abs(left) == 1.0) & np.isinf(right))
    return np.where(undefined, np.nan, raised)


def _flag(compare: Callable[[FloatArray, FloatArray], FloatArray]) -> Binary:
    def apply(left: FloatArray, right: FloatArray) -> FloatArray:
        return np.asarray(compare(left, right), dtype=np.float64)

    return apply


def _both(left: FloatArray, right: FloatArray) -> FloatArray:
    return truth(left) * truth(right)


def _either(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.maximum(truth(left), truth(right))


UNARY: dict[str, Unary] = {
    "abs": np.abs,
    "neg": np.negative,
    "sin": np.sin,
    "sqrt": np.sqrt,
}

BINARY: dict[str, Binary] = {
    "add": add,
    "sub": subtract,
    "mul": np.multiply,
    "div": divide,
    "pow": power,
    "fadd": np.add,
    "fsub": np.subtract,
    "fmul": np.multiply,
    "fdiv": np.divide,
    "gt": _flag(np.greater),
    "ge": _flag(np.greater_equal),
    "lt": _flag(np.less),
    "le": _flag(np.less_equal),
    "and": _both,
    "or": _either,
}


def apply_unary(name: str, values: FloatArray) -> FloatArray:
    """Apply the unary word ``name``."""
    with np.errstate(all="ignore"):
        return UNARY[name](values)


def apply_binary(name: str, left: FloatArray, right: FloatArray) -> FloatArray:
    """Apply the binary word ``name``."""
    with np.errstate(all="ignore"):
        return BINARY[name](left, right)


def aggregate_groups(
    function: Aggregate, values: FloatArray, starts: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> FloatArray:
    """Aggregate runs of rows.

    Args:
        function: ``SUM``, ``COUNT``, ``MIN`` or ``MAX``; missing values are left out.
        values: Shape (lines, steps), rows of one group next to each other.
        starts: The first row of each group, ascending.

    Returns:
        Shape (groups, steps); NaN where no line of the group has a value.
    """
    if len(starts) == 0:
        return np.empty((0, values.shape[1]))
    with np.errstate(all="ignore"):
        if function in {Aggregate.MIN, Aggregate.MAX}:
            extreme = np.fmin if function is Aggregate.MIN else np.fmax
            return np.asarray(extreme.reduceat(values, starts, axis=0), dtype=np.float64)
        present = ~np.isnan(values)
        counts: FloatArray = np.add.reduceat(present.astype(np.float64), starts, axis=0)
        if function is Aggregate.COUNT:
            return np.where(counts > 0, counts, np.nan)
        sums: FloatArray = np.add.reduceat(np.where(present, values, 0.0), starts, axis=0)
        return np.where(counts > 0, sums, np.nan)


def aggregate_all(function: Aggregate, values: FloatArray) -> FloatArray:
    """Aggregate all rows to one; returns shape (steps,)."""
    row: FloatArray = aggregate_groups(function, values, np.zeros(1, dtype=np.intp))[0]
    return row
