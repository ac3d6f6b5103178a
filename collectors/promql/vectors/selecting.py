"""Selectors: the newest sample of each series at each step, or the samples of its windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.promql.language.nodes import Edge, MatrixSelector, VectorSelector
from collectors.promql.samples.columns import STALE_BITS, Samples
from collectors.promql.samples.windows import instants
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.values import BoolArray, Vector, vector_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The samples of a range vector.

    Attributes:
        samples: Of all windows, without those that end a series.
        ends: (T,), or (1,) for windows that are the same at each step.
        range_ms: Their length.
        edge: How their ends are treated.
        steps: T.
    """

    samples: Samples
    ends: IntArray
    range_ms: int
    edge: Edge
    steps: int

    def spread(self, values: FloatArray, present: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Return (S, T) for what was computed over the ends."""
        return spread(values, self.steps), spread(present, self.steps)


def spread(values: np.ndarray, steps: int) -> np.ndarray:
    """Return (S, T) of values (S, 1) that are the same at each step; others as they are."""
    if values.shape[1] == steps:
        return values
    return np.repeat(values, steps, axis=1)


def newest(context: Context, selector: VectorSelector) -> tuple[Samples, IntArray]:
    """Return samples, and (S, T) the position of the newest of each series at each step, or -1."""
    ends = context.ends(selector.at, context.ms(selector.offset))
    lookback_ms = context.options.lookback_ms
    samples = context.select(selector.matchers, ends, lookback_ms)
    context.reserve(samples.labels.size)
    found = np.empty((samples.labels.size, len(ends)), dtype=np.int64)
    instants(samples.times, samples.offsets, ends, lookback_ms, found)
    if len(samples.values):
        stale = samples.values.view(np.int64) == STALE_BITS
        if stale.any():
            found[(found >= 0) & stale[found]] = -1
    return samples, spread(found, context.steps)


def select_instants(context: Context, selector: VectorSelector) -> Vector:
    """Return the newest sample of each series at each step."""
    samples, found = newest(context, selector)
    return _present_rows(samples, found, samples.values)


def select_times(context: Context, selector: VectorSelector) -> Vector:
    """Return the time in seconds of the newest sample of each series at each step."""
    samples, found = newest(context, selector)
    return _present_rows(samples, found, samples.times / 1000.0)


def _present_rows(samples: Samples, found: IntArray, values: FloatArray) -> Vector:
    present = found >= 0
    taken = values[found] if len(values) else np.zeros(found.shape)
    vector = vector_of(samples.labels, taken, present)
    rows = np.flatnonzero(present.any(axis=1))
    return vector if len(rows) == samples.labels.size else vector.take(rows)


def select_windows(context: Context, node: MatrixSelector) -> Windows:
    """Return the samples of a range selector's windows."""
    selector = node.selector
    range_ms = context.ms(node.range, positive=True)
    ends = context.ends(selector.at, context.ms(selector.offset))
    # Edges look at samples before the window, and one after it.
    reach = context.options.lookback_ms if selector.edge is not Edge.PLAIN else 0
    beyond = reach if selector.edge is Edge.SMOOTHED else 0
    wide = np.array([ends[0], ends[-1] + beyond]) if len(ends) else ends
    samples = context.select(selector.matchers, wide, range_ms + reach).fresh()
    return Windows(
        samples=samples, ends=ends, range_ms=range_ms, edge=selector.edge, steps=context.steps
    )


def samples_of(vector: Vector, times: IntArray) -> Samples:
    """Return what a vector holds as samples: those of a subquery."""
    counts = vector.present.sum(axis=1)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return Samples(
        labels=vector.labels,
        offsets=offsets,
        times=np.broadcast_to(times, vector.present.shape)[vector.present],
        values=vector.values[vector.present],
        drop_name=vector.drop_name,
    )
