"""Samples of series, put together from blocks and what is kept beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.kernel import kernel
from collectors.model import FloatArray, IndexArray, IntArray
from collectors.store.blocks.blocks import BLOCK_STEPS, HotBlocks
from collectors.store.blocks.readings import STALE_BITS, Readings
from collectors.store.blocks.sealing import gather_pages
from collectors.store.series.kinds import COUNTER


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSamples:
    """At most one sample a step of S series over C steps.

    Attributes:
        values: (S, C) what was sampled, NaN for nothing.
        lags: (S, C) milliseconds before the end of the step; where a series ended, one more, below
            zero.
    """

    values: FloatArray
    lags: IntArray


@kernel
def flatten(
    values: FloatArray,
    lags: IntArray,
    first: int,
    step_ms: int,
    first_ms: int,
    last_ms: int,
    offsets: IntArray,
    out_times: IntArray,
    out_values: FloatArray,
    out_bits: IntArray,
) -> None:
    """Write samples one after the other: those after ``first_ms`` and up to ``last_ms``.

    Args:
        values: (S, C) what was sampled.
        lags: (S, C) when; see :class:`StepSamples`.
        first: The step of the first column.
        step_ms: Base step.
        first_ms: After which.
        last_ms: Up to which.
        offsets: (S + 1,) filled with where those of each series begin.
        out_times: (S * C,) filled from its start.
        out_values: (S * C,) the same.
        out_bits: ``out_values`` as whole numbers.
    """
    at = 0
    for series in range(values.shape[0]):
        offsets[series] = at
        for column in range(values.shape[1]):
            value, lag = values[series, column], lags[series, column]
            ended = lag < 0
            if value != value and not ended:
                continue
            time = (first + column) * step_ms - (-1 - lag if ended else lag)
            if time <= first_ms or time > last_ms:
                continue
            out_times[at] = time
            if ended:
                out_bits[at] = STALE_BITS
            else:
                out_values[at] = value
            at += 1
    offsets[values.shape[0]] = at


def pages_of(blocks: HotBlocks, ids: IndexArray, first: int, columns: int) -> FloatArray:
    """Return (S, C) what blocks hold of series from the step ``first`` on, NaN for nothing."""
    out = np.full((len(ids), columns), np.nan)
    arrays = blocks.arrays
    for block in range(first // BLOCK_STEPS, (first + columns - 1) // BLOCK_STEPS + 1):
        slot = block % blocks.ring_blocks
        if arrays.ring[slot] != block:
            continue
        rows = np.flatnonzero(arrays.table[slot, ids])
        if not len(rows):
            continue
        low, high = max(first, block * BLOCK_STEPS), min(first + columns, (block + 1) * BLOCK_STEPS)
        pages = gather_pages(arrays, slot, ids[rows])
        start = block * BLOCK_STEPS
        out[rows, low - first : high - first] = pages[:, low - start : high - start]
    return out


def samples_of(
    blocks: HotBlocks,
    readings: Readings,
    ids: IndexArray,
    first: int,
    columns: int,
    older: FloatArray | None = None,
) -> StepSamples:
    """Return the samples of series from the step ``first`` on.

    Args:
        blocks: Values and rates.
        readings: What is kept beside them.
        ids: (S,) series.
        first: First step.
        columns: How many steps.
        older: (S, O) what history has of the steps before, values and rates.
    """
    kinds, book = blocks.arrays.kind[ids], readings.book
    kept = (kinds == COUNTER) & (book.since[ids] > 0) & (book.since[ids] * BLOCK_STEPS <= first)
    # Of counters that were kept all the while nobody asks what their rates were.
    kept &= older is None
    hot_first = first
    values = np.full((len(ids), columns), np.nan)
    rows = np.flatnonzero(~kept)
    if len(rows):
        values[rows] = pages_of(blocks, ids[rows], first, columns)
    lags = _lags(readings, ids, first, columns)
    if older is not None:
        values = np.concatenate([older, values], axis=1)
        lags = np.concatenate([np.zeros(older.shape, dtype=np.int64), lags], axis=1)
        first -= older.shape[1]
    rows = np.flatnonzero(kinds == COUNTER)
    if len(rows):
        shown = pages_of(readings.counters, ids[rows], first, values.shape[1])
        if not kept[rows].all():
            since = book.since[ids[rows]] * BLOCK_STEPS
            # What is older than the blocks has left them.
            since = np.where(since > 0, np.maximum(since, hot_first), 0)
            shown = counters(values[rows], shown, since, first, blocks.step_ms)
        values[rows] = shown
    return StepSamples(values=values, lags=lags)


def _lags(readings: Readings, ids: IndexArray, first: int, columns: int) -> IntArray:
    """Return (S, C) the lag of samples, below zero where the series ended."""
    out = np.zeros((len(ids), columns), dtype=np.int64)
    book, ring = readings.book, readings.times.arrays.ring
    for block in range(first // BLOCK_STEPS, (first + columns - 1) // BLOCK_STEPS + 1):
        slot = block % len(ring)
        if ring[slot] != block:
            continue
        low, high = max(first, block * BLOCK_STEPS), min(first + columns, (block + 1) * BLOCK_STEPS)
        phases = book.phases[slot, ids]
        out[:, low - first : high - first] = np.maximum(phases - 1, 0)[:, np.newaxis]
    paged = pages_of(readings.times, ids, first, columns)
    known = ~np.isnan(paged)
    out[known] = paged[known].astype(np.int64)
    opened = book.open_step[ids]
    rows = np.flatnonzero((opened >= first) & (opened < first + columns))
    columns_of = opened[rows] - first
    ended = out[rows, columns_of] < 0
    out[rows[~ended], columns_of[~ended]] = book.open_lag[ids[rows[~ended]]]
    return out


def counters(
    rates: FloatArray, shown: FloatArray, since: IntArray, first: int, step_ms: int
) -> FloatArray:
    """Return (S, C) what counters showed; where that was not kept, what their rates add up to.

    Args:
        rates: (S, C) a second.
        shown: (S, C) what was kept, NaN for nothing.
        since: (S,) the step from which on it was kept, 0 for never.
        first: The step of the first column.
        step_ms: Base step.
    """
    steps = first + np.arange(rates.shape[1])
    missing = (since[:, np.newaxis] == 0) | (steps < since[:, np.newaxis])
    missing &= np.isnan(shown) & ~np.isnan(rates)
    if not missing.any():
        return shown
    total = np.cumsum(np.where(np.isnan(rates), 0.0, rates), axis=1) * (step_ms / 1000.0)
    known = ~np.isnan(shown)
    at = np.argmax(known, axis=1)
    rows = np.arange(len(rates))
    anchored = known.any(axis=1)
    # What came before the first reading leads up to it.
    start = np.where(anchored, shown[rows, at] - total[rows, at], 0.0)
    return np.where(missing, total + start[:, np.newaxis], shown)
