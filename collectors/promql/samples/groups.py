"""Compiled loops that turn series × steps into groups × steps."""

from __future__ import annotations

import math

from collectors.kernel import kernel
from collectors.model import FloatArray, IntArray
from collectors.promql.samples.kahan import lost, whole
from collectors.promql.samples.windows import Present

SUM, AVG, MIN, MAX, STDVAR, STDDEV = range(6)


@kernel
def count_groups(groups: IntArray, present: Present, out: FloatArray) -> None:
    """Add to (G, T) how many series of each group are present."""
    for series in range(len(groups)):
        group = groups[series]
        for step in range(present.shape[1]):
            if present[series, step]:
                out[group, step] += 1.0


@kernel
def sum_groups(
    groups: IntArray,
    values: FloatArray,
    present: Present,
    total: FloatArray,
    gone: FloatArray,
    counts: FloatArray,
) -> None:
    """Add values to (G, T) sums, with what they lose and how many they are."""
    for series in range(len(groups)):
        group = groups[series]
        for step in range(present.shape[1]):
            if present[series, step]:
                value = values[series, step]
                before = total[group, step]
                gone[group, step] = lost(before, value, gone[group, step])
                total[group, step] = before + value
                counts[group, step] += 1.0


@kernel
def finish_sums(total: FloatArray, gone: FloatArray) -> None:
    """Put what sums lost back into them."""
    for group in range(total.shape[0]):
        for step in range(total.shape[1]):
            total[group, step] = whole(total[group, step], gone[group, step])


@kernel
def average_groups(
    groups: IntArray,
    values: FloatArray,
    present: Present,
    mean: FloatArray,
    gone: FloatArray,
    counts: FloatArray,
) -> None:
    """Move (G, T) means one value at a time, for groups whose sum is too large."""
    for series in range(len(groups)):
        group = groups[series]
        for step in range(present.shape[1]):
            if present[series, step]:
                counts[group, step] += 1.0
                count = counts[group, step]
                share = (count - 1.0) / count
                old = share * mean[group, step]
                new = values[series, step] / count
                gone[group, step] = lost(old, new, share * gone[group, step])
                mean[group, step] = old + new


@kernel
def extreme_groups(
    groups: IntArray,
    values: FloatArray,
    present: Present,
    largest: bool,
    out: FloatArray,
    counts: FloatArray,
) -> None:
    """Keep in (G, T) the largest or least value; a NaN only where all are."""
    for series in range(len(groups)):
        group = groups[series]
        for step in range(present.shape[1]):
            if not present[series, step]:
                continue
            value, best = values[series, step], out[group, step]
            better = value > best if largest else value < best
            if counts[group, step] == 0.0 or better or math.isnan(best):
                out[group, step] = value
            counts[group, step] += 1.0


@kernel
def variance_groups(
    groups: IntArray,
    values: FloatArray,
    present: Present,
    mean: FloatArray,
    mean_gone: FloatArray,
    squares: FloatArray,
    squares_gone: FloatArray,
    counts: FloatArray,
) -> None:
    """Add values to (G, T) means and sums of squared distances from them (Welford)."""
    for series in range(len(groups)):
        group = groups[series]
        for step in range(present.shape[1]):
            if not present[series, step]:
                continue
            value = values[series, step]
            counts[group, step] += 1.0
            delta = value - (mean[group, step] + mean_gone[group, step])
            move = delta / counts[group, step]
            mean_gone[group, step] = lost(mean[group, step], move, mean_gone[group, step])
            mean[group, step] += move
            square = delta * (value - (mean[group, step] + mean_gone[group, step]))
            squares_gone[group, step] = lost(
                squares[group, step], square, squares_gone[group, step]
            )
            squares[group, step] += square
