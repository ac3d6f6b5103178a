"""Rolling windows over lines, step by step, at a cost that does not grow with the window.

A window's sum, minimum or maximum comes from two parts (van Herk, "A fast algorithm for local
minimum and maximum filters on rectangular and octagonal kernels", 1992): time is cut into blocks
as long as the window; of the block before, suffixes are kept; of the current one, the prefix. No
value is ever subtracted, so that a huge value leaves no error behind when it has left the window.

All lines of a table advance together; what stood before a line appeared counts as missing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from collectors.model import FloatArray

SUM, MIN, MAX = 0, 1, 2


@njit(cache=True, nogil=True, inline="always")
def _combine(operation: int, left: float, right: float) -> float:
    if np.isnan(left):
        return right
    if np.isnan(right):
        return left
    if operation == 0:
        return left + right
    if operation == 1:
        return min(left, right)
    return max(left, right)


@njit(cache=True, nogil=True)
def _advance(
    operation: int,
    values: FloatArray,
    ring: FloatArray,
    prefix: FloatArray,
    position: int,
    size: int,
    out: FloatArray,
) -> None:
    lines, steps = values.shape
    capacity = ring.shape[1]
    for line in range(lines):
        at = position
        for step in range(steps):
            value = values[line, step]
            prefix[line] = _combine(operation, prefix[line], value)
            older = ring[line, at + 1] if at + 1 < capacity else np.nan
            out[line, step] = _combine(operation, older, prefix[line])
            ring[line, at] = value
            at += 1
            if at == size:
                for index in range(size - 2, -1, -1):
                    ring[line, index] = _combine(
                        operation, ring[line, index], ring[line, index + 1]
                    )
                prefix[line] = np.nan
                at = 0


class RollingTable:
    """One rolling aggregate over a table of lines.

    Args:
        operation: ``SUM``, ``MIN`` or ``MAX``; missing values are left out.
        size: Length of the window in steps, the current one included.
    """

    def __init__(self, operation: int, size: int) -> None:
        self._operation = operation
        self._size = size
        self._position = 0
        self._ring: FloatArray = np.empty((0, 0))
        self._prefix: FloatArray = np.empty(0)

    def advance(self, values: FloatArray) -> FloatArray:
        """Take the next values, shape (lines, steps); return the aggregate at each."""
        self._grow(values.shape[0], values.shape[1])
        out = np.empty_like(values)
        _advance(
            self._operation,
            np.ascontiguousarray(values),
            self._ring,
            self._prefix,
            self._position,
            self._size,
            out,
        )
        self._position = (self._position + values.shape[1]) % self._size
        return out

    def keep(self, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
        """Forget all lines but those at ``rows``."""
        self._ring = self._ring[rows]
        self._prefix = self._prefix[rows]

    def _grow(self, lines: int, steps: int) -> None:
        # The ring is as long as what was seen, up to the window: a window of a day costs nothing
        # over an hour of data.
        rows, capacity = self._ring.shape
        wanted = min(self._size, max(capacity, self._position + steps))
        if wanted > capacity:
            wanted = min(self._size, max(wanted, 2 * capacity))
        if lines > rows or wanted > capacity:
            ring = np.full((lines, wanted), np.nan)
            ring[:rows, :capacity] = self._ring
            self._ring = ring
        if lines > rows:
            self._prefix = np.concatenate([self._prefix, np.full(lines - rows, np.nan)])
