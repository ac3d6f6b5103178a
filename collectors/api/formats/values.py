"""Numbers as the text formats need them."""

from __future__ import annotations

import math

import numpy as np

from collectors.model import FloatArray


def quoted(values: FloatArray) -> list[object]:
    """Return ``values`` as nested lists, with what JSON has no number for as text.

    >>> quoted(np.array([1.0, np.nan, -np.inf]))
    [1.0, 'NaN', '-Infinity']
    """
    cells = values.astype(object)
    cells[np.isnan(values)] = "NaN"
    cells[np.isposinf(values)] = "Infinity"
    cells[np.isneginf(values)] = "-Infinity"
    return cells.tolist()  # type: ignore[no-any-return] # an object array gives a list


def quoted_number(value: float) -> float | str:
    """Return ``value``, or its name if JSON has no number for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def columns(lines: list[FloatArray], steps: int) -> FloatArray:
    """Return one row a column of the graph, shape (steps, lines)."""
    return np.stack(lines, axis=1) if lines else np.zeros((steps, 0))
