"""The aggregation kernels: from blocks straight into group rows.

Consolidation (several steps of one series become one) comes before aggregation (several series
become one line), as in Atlas. Missing values are NaN everywhere: they add nothing, and a cell
that nothing contributed to is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.budget import look
from collectors.kernel import inlined, kernel
from collectors.model import FloatArray, IndexArray
from collectors.stacklang.lines.database import Aggregate, Consolidation
from collectors.store.blocks.blocks import BLOCK_STEPS, HotArrays
from collectors.store.series.kinds import GAUGE

Offsets = NDArray[np.uint8] | NDArray[np.uint16]
SUM, COUNT, MIN, MAX = range(4)
AGGREGATES = {
    Aggregate.SUM: SUM,
    Aggregate.COUNT: COUNT,
    Aggregate.MIN: MIN,
    Aggregate.MAX: MAX,
    Aggregate.ALL: SUM,
}
CF_AVG, CF_SUM, CF_MIN, CF_MAX = range(4)
CONSOLIDATIONS = {
    Consolidation.AVG: CF_AVG,
    Consolidation.SUM: CF_SUM,
    Consolidation.MIN: CF_MIN,
    Consolidation.MAX: CF_MAX,
}


@inlined
def _add_run(values: FloatArray, total: FloatArray, seen: FloatArray, op: int) -> None:
    """Fold ``values`` into ``total`` and ``seen``, three rows of one length.

    One plain loop for each operation, over slices that start at zero, so that the compiler turns
    each into vector instructions.
    """
    if op == MIN:
        for i in range(len(values)):
            v = values[i]
            if v < total[i]:
                total[i] = v
            seen[i] += 1.0 if v == v else 0.0
    elif op == MAX:
        for i in range(len(values)):
            v = values[i]
            if v > total[i]:
                total[i] = v
            seen[i] += 1.0 if v == v else 0.0
    else:
        for i in range(len(values)):
            v = values[i]
            total[i] += v if v == v else 0.0
            seen[i] += 1.0 if v == v else 0.0


@inlined
def _add_packed(
    offsets: Offsets,
    base: float,
    divisor: float,
    total: FloatArray,
    seen: FloatArray,
    op: int,
    unpacked: FloatArray,
) -> None:
    """As :func:`_add_run` for a sealed page; sums in one pass, whole numbers without dividing."""
    if op >= MIN:
        for i in range(len(offsets)):
            k = np.int32(offsets[i])
            unpacked[i] = (base + k) / divisor if k > 0 else np.nan
        _add_run(unpacked[: len(offsets)], total, seen, op)
    elif divisor == 1.0:
        for i in range(len(offsets)):
            k = np.int32(offsets[i])
            total[i] += base + k if k > 0 else 0.0
            seen[i] += 1.0 if k > 0 else 0.0
    else:
        for i in range(len(offsets)):
            k = np.int32(offsets[i])
            total[i] += (base + k) / divisor if k > 0 else 0.0
            seen[i] += 1.0 if k > 0 else 0.0


@inlined
def _add_whole(offsets: Offsets, base: float, divisor: float, total: FloatArray) -> None:
    """Add a sealed page without a missing value to a sum; who calls counts it once for all."""
    if divisor == 1.0:
        for i in range(len(offsets)):
            total[i] += base + np.int32(offsets[i])
    else:
        for i in range(len(offsets)):
            total[i] += (base + np.int32(offsets[i])) / divisor


@inlined
def _add_sealed(
    offsets: Offsets,
    base: float,
    divisor: float,
    whole: bool,
    total: FloatArray,
    seen: FloatArray,
    op: int,
    unpacked: FloatArray,
) -> None:
    if whole:
        _add_whole(offsets, base, divisor, total)
    else:
        _add_packed(offsets, base, divisor, total, seen, op, unpacked)


@inlined
def _add_series(
    hot: HotArrays,
    series: int,
    first: int,
    total: FloatArray,
    seen: FloatArray,
    wholes: FloatArray,
    op: int,
    unpacked: FloatArray,
) -> None:
    """Fold the steps of one series, from ``first`` on, into a row.

    ``wholes[b]`` counts series that have every value in the b-th block of the window and that
    ``seen`` leaves out.
    """
    step, stop = first, first + len(total)
    first_block, rows = first // BLOCK_STEPS, hot.packed.shape[0]
    while step < stop:
        block = step // BLOCK_STEPS
        end = min((block + 1) * BLOCK_STEPS, stop)
        slot = block % hot.ring.shape[0]
        if hot.ring[slot] == block:
            entry = np.int64(hot.table[slot, series])
            low = step - block * BLOCK_STEPS
            a, b = step - first, end - first
            if entry > 0:
                _add_run(hot.pool[entry - 1, low : low + b - a], total[a:b], seen[a:b], op)
            elif entry < 0:
                page = -entry - 1
                base, divisor = hot.base[page] - 1.0, hot.divisor[page]
                whole = hot.whole[page] == 1 and op < MIN
                wholes[block - first_block] += 1.0 if whole else 0.0
                if page >= rows:
                    near = hot.small[page - rows, low : low + b - a]
                    _add_sealed(near, base, divisor, whole, total[a:b], seen[a:b], op, unpacked)
                else:
                    wide = hot.packed[page, low : low + b - a]
                    _add_sealed(wide, base, divisor, whole, total[a:b], seen[a:b], op, unpacked)
        step = end


@inlined
def _count_wholes(seen: FloatArray, wholes: FloatArray, first: int) -> None:
    """Add to each column the series that have every value in its block."""
    for j in range(len(seen)):
        seen[j] += wholes[(first + j) // BLOCK_STEPS - first // BLOCK_STEPS]


@inlined
def _finish(total: FloatArray, seen: FloatArray, op: int) -> None:
    """Turn empty cells into NaN and counts into values, in place."""
    for g in range(total.shape[0]):
        for j in range(total.shape[1]):
            if seen[g, j] == 0.0:
                total[g, j] = np.nan
            elif op == COUNT:
                total[g, j] = seen[g, j]


@kernel
def _aggregate(
    hot: HotArrays,
    series: IndexArray,
    group: IndexArray,
    first: int,
    op: int,
    total: FloatArray,
    seen: FloatArray,
    wholes: FloatArray,
    unpacked: FloatArray,
) -> None:
    for k in range(len(series)):
        g = group[k]
        _add_series(hot, series[k], first, total[g], seen[g], wholes[g], op, unpacked)


@kernel
def _close(first: int, op: int, total: FloatArray, seen: FloatArray, wholes: FloatArray) -> None:
    """Make values of what all series were added to."""
    for g in range(len(total)):
        _count_wholes(seen[g], wholes[g], first)
    _finish(total, seen, op)


@inlined
def _consolidate(
    row: FloatArray, seen: FloatArray, multiple: int, cf: int, gauge: bool, out: FloatArray
) -> None:
    """Make one output value of each ``multiple`` base values; NaN when all are missing."""
    for j in range(len(out)):
        value, present = 0.0, 0
        for i in range(j * multiple, (j + 1) * multiple):
            if seen[i] == 0.0:
                continue
            v = row[i]
            present += 1
            if present == 1 or (cf == CF_MIN and v < value) or (cf == CF_MAX and v > value):
                value = v
            elif cf <= CF_SUM:
                value += v
        if present == 0:
            value = np.nan
        elif cf == CF_AVG:
            value /= present if gauge else multiple
        out[j] = value


@kernel
def _aggregate_consolidated(
    hot: HotArrays,
    series: IndexArray,
    group: IndexArray,
    first: int,
    multiple: int,
    op: int,
    cf: int,
    total: FloatArray,
    seen: FloatArray,
    scratch: FloatArray,
    out: FloatArray,
    wholes: FloatArray,
    unpacked: FloatArray,
) -> None:
    row, present = scratch[0], scratch[1]
    for k in range(len(series)):
        for i in range(len(row)):
            row[i] = 0.0
            present[i] = 0.0
        wholes[0, :] = 0.0
        _add_series(hot, series[k], first, row, present, wholes[0], SUM, unpacked)
        _count_wholes(present, wholes[0], first)
        values = present if op == COUNT else row
        _consolidate(values, present, multiple, cf, hot.kind[series[k]] == GAUGE, out)
        _add_run(out, total[group[k]], seen[group[k]], op)


_STEPS_AT_ONCE = 20_000_000
# What it takes to find a page, in steps.
_PAGE_STEPS = 100
_START_VALUE = {MIN: np.inf, MAX: -np.inf, SUM: 0.0, COUNT: 0.0}


def aggregate(
    hot: HotArrays,
    series: IndexArray,
    group: IndexArray,
    *,
    groups: int,
    first: int,
    columns: int,
    op: int,
    multiple: int = 1,
    cf: int = CF_AVG,
) -> FloatArray:
    """Aggregate series into group rows.

    A count consolidates ones, so a rate that was present in half of the steps averages to 0.5.

    Args:
        hot: The blocks.
        series: Ids of matching series.
        group: Row of each of them, below ``groups``.
        groups: Number of rows.
        first: First base step index.
        columns: Number of columns.
        op: SUM, COUNT, MIN or MAX.
        multiple: Base steps that make one column.
        cf: How they do: CF_AVG, CF_SUM, CF_MIN or CF_MAX.

    Returns:
        Array (groups, columns), NaN where nothing contributed.
    """
    total = np.full((groups, columns), _START_VALUE[op])
    seen = np.zeros((groups, columns))
    unpacked = np.empty(BLOCK_STEPS)
    blocks = columns * multiple // BLOCK_STEPS + 2
    # Some at a time, so that a query that is stopped or has had its turn need not go on.
    at_once = max(1, _STEPS_AT_ONCE // (columns * multiple + _PAGE_STEPS))
    if multiple == 1:
        wholes = np.zeros((groups, blocks))
        for some, rows in _parts(series, group, at_once):
            _aggregate(hot, some, rows, first, op, total, seen, wholes, unpacked)
        _close(first, op, total, seen, wholes)
        return total
    wholes = np.zeros((1, blocks))
    scratch, out = np.empty((2, columns * multiple)), np.empty(columns)
    for some, rows in _parts(series, group, at_once):
        _aggregate_consolidated(
            hot, some, rows, first, multiple, op, cf, total, seen, scratch, out, wholes, unpacked
        )
    wholes = np.zeros((groups, columns // BLOCK_STEPS + 2))  # they are in ``seen`` already
    _close(first, SUM if op == COUNT else op, total, seen, wholes)
    return total


def _parts(
    series: IndexArray, group: IndexArray, size: int
) -> Iterator[tuple[IndexArray, IndexArray]]:
    for begin in range(0, len(series), size):
        look()
        yield series[begin : begin + size], group[begin : begin + size]
