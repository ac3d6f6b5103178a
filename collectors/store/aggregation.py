"""The aggregation kernels: from blocks straight into group rows.

Consolidation (several steps of one series become one) comes before aggregation (several series
become one line), as in Atlas. Missing values are NaN everywhere: they add nothing, and a cell
that nothing contributed to is NaN.
"""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray, IndexArray
from collectors.stacklang.database import Aggregate, Consolidation
from collectors.store.blocks import BLOCK_STEPS, HotArrays
from collectors.store.ingest import GAUGE
from collectors.store.kernel import kernel

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


@kernel
def _add_run(
    page: FloatArray, low: int, high: int, total: FloatArray, seen: FloatArray, at: int, op: int
) -> None:
    """Fold ``page[low:high]`` into ``total`` and ``seen`` from column ``at`` on."""
    if op == MIN:
        for i in range(low, high):
            v = page[i]
            if v < total[at + i - low]:
                total[at + i - low] = v
            seen[at + i - low] += 1.0 if v == v else 0.0
    elif op == MAX:
        for i in range(low, high):
            v = page[i]
            if v > total[at + i - low]:
                total[at + i - low] = v
            seen[at + i - low] += 1.0 if v == v else 0.0
    else:
        for i in range(low, high):
            v = page[i]
            total[at + i - low] += v if v == v else 0.0
            seen[at + i - low] += 1.0 if v == v else 0.0


@kernel
def _add_series(
    hot: HotArrays,
    series: int,
    first: int,
    steps: int,
    total: FloatArray,
    seen: FloatArray,
    op: int,
) -> None:
    """Fold the steps ``first`` … ``first + steps - 1`` of one series into a row."""
    step = first
    while step < first + steps:
        block = step // BLOCK_STEPS
        end = min((block + 1) * BLOCK_STEPS, first + steps)
        slot = block % hot.ring.shape[0]
        if hot.ring[slot] == block:
            page = hot.table[slot, series] - 1
            if page >= 0:
                low = step - block * BLOCK_STEPS
                _add_run(hot.pool[page], low, low + end - step, total, seen, step - first, op)
        step = end


@kernel
def _start_value(op: int) -> float:
    if op == MIN:
        return np.inf
    if op == MAX:
        return -np.inf
    return 0.0


@kernel
def _finish(total: FloatArray, seen: FloatArray, op: int) -> None:
    """Turn empty cells into NaN and counts into values, in place."""
    for g in range(total.shape[0]):
        for j in range(total.shape[1]):
            if seen[g, j] == 0.0:
                total[g, j] = np.nan
            elif op == COUNT:
                total[g, j] = seen[g, j]


@kernel
def aggregate(
    hot: HotArrays,
    series: IndexArray,
    group: IndexArray,
    groups: int,
    first: int,
    steps: int,
    op: int,
) -> FloatArray:
    """Aggregate base steps without consolidation.

    Args:
        hot: The blocks.
        series: Ids of matching series.
        group: Row of each of them, below ``groups``.
        groups: Number of rows.
        first: First step index.
        steps: Number of columns.
        op: SUM, COUNT, MIN or MAX.

    Returns:
        Array (groups, steps).
    """
    total = np.full((groups, steps), _start_value(op))
    seen = np.zeros((groups, steps))
    for k in range(len(series)):
        _add_series(hot, series[k], first, steps, total[group[k]], seen[group[k]], op)
    _finish(total, seen, op)
    return total


@kernel
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
def aggregate_consolidated(
    hot: HotArrays,
    series: IndexArray,
    group: IndexArray,
    groups: int,
    first: int,
    columns: int,
    multiple: int,
    op: int,
    cf: int,
) -> FloatArray:
    """As :func:`aggregate`, each column made of ``multiple`` base steps, the first at ``first``.

    A count consolidates ones, so a rate that was present in half of the steps averages to 0.5.
    """
    total = np.full((groups, columns), _start_value(op))
    seen = np.zeros((groups, columns))
    steps = columns * multiple
    row, present, out = np.empty(steps), np.empty(steps), np.empty(columns)
    for k in range(len(series)):
        row[:] = 0.0
        present[:] = 0.0
        _add_series(hot, series[k], first, steps, row, present, SUM)
        if op == COUNT:
            row[:] = present
        _consolidate(row, present, multiple, cf, hot.kind[series[k]] == GAUGE, out)
        _add_run(out, 0, columns, total[group[k]], seen[group[k]], 0, op)
    _finish(total, seen, SUM if op == COUNT else op)
    return total
