"""Spans by when they began and how long they took: the counts that a heat map is drawn of.

Durations stand on a scale that is the same for every map, five steps a decade, so that memory and
history count alike and a map that is drawn anew does not jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from collectors.budget import look
from collectors.model import FloatArray, IntArray
from collectors.traces.query.columns import SpanBlock
from collectors.traces.search import NANOS_PER_MS, TraceSearch
from collectors.traces.selection import spans_meant

MAX_HEAT_COLUMNS = 240
_PER_DECADE = 5
_FIRST_NS = 1_000
_DECADES = 10
BOUNDS_NS: tuple[int, ...] = (
    0,
    *(round(_FIRST_NS * 10 ** (step / _PER_DECADE)) for step in range(_DECADES * _PER_DECADE + 1)),
)
"""First duration of each row, nanoseconds: below 1 µs, up to 2.8 hours, and beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The columns of a heat map: equal stretches of time.

    Attributes:
        start_ms: Of the first column, epoch milliseconds.
        step_ms: Length of a column.
        columns: How many.
    """

    start_ms: int
    step_ms: int
    columns: int

    @property
    def end_ms(self) -> int:
        """Where the last column ends."""
        return self.start_ms + self.columns * self.step_ms


def grid_of(start_ms: int, end_ms: int, columns: int) -> Grid:
    """Return at most so many columns that cover a stretch of time.

    >>> grid_of(0, 1_000, 3)
    Grid(start_ms=0, step_ms=334, columns=3)
    """
    step_ms = max(1, -(-(end_ms - start_ms) // columns))
    return Grid(start_ms=start_ms, step_ms=step_ms, columns=-(-(end_ms - start_ms) // step_ms))


class HeatMap:
    """Counts of spans, (rows, columns) each; rows as in :data:`BOUNDS_NS`.

    Args:
        grid: The columns.

    Attributes:
        counts: Spans, each for as many as it stands for.
        errors: Of these those that failed.
        observed: Spans that were seen.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        shape = (len(BOUNDS_NS), grid.columns)
        self.counts: FloatArray = np.zeros(shape)
        self.errors: FloatArray = np.zeros(shape)
        self.observed: IntArray = np.zeros(shape, dtype=np.int64)

    def add(
        self, start_ms: IntArray, duration_ns: FloatArray, weight: FloatArray, failed: IntArray
    ) -> None:
        """Count spans, or groups of spans that are alike.

        Args:
            start_ms: (n,) when they began, within the grid.
            duration_ns: (n,) how long they took.
            weight: (n,) how many each stands for.
            failed: (n,) 1 where they failed, else 0.
        """
        self.add_groups(start_ms, duration_ns, weight, failed, np.ones(len(weight), dtype=np.int64))

    def add_groups(
        self,
        start_ms: IntArray,
        duration_ns: FloatArray,
        weight: FloatArray,
        failed: IntArray,
        observed: IntArray,
    ) -> None:
        """Count groups of ``observed`` spans each, that together stand for ``weight``."""
        column = (start_ms - self.grid.start_ms) // self.grid.step_ms
        row = np.searchsorted(np.array(BOUNDS_NS), duration_ns, side="right") - 1
        cell = np.maximum(row, 0) * self.grid.columns + column
        size, shape = self.counts.size, self.counts.shape
        self.counts += np.bincount(cell, weight, size).reshape(shape)
        self.errors += np.bincount(cell, weight * failed, size).reshape(shape)
        self.observed += np.bincount(cell, observed, size).astype(np.int64).reshape(shape)


def add_blocks(found: HeatMap, blocks: Iterable[SpanBlock], wanted: TraceSearch) -> None:
    """Count the spans of blocks that a search means."""
    grid = found.grid
    for block in blocks:
        look()
        mask = spans_meant(wanted, block)
        start_ms = block.start_ns // NANOS_PER_MS
        rows = np.flatnonzero(mask & (start_ms >= grid.start_ms) & (start_ms < grid.end_ms))
        if len(rows):
            found.add(
                start_ms[rows],
                block.duration_ns[rows],
                block.weight[rows],
                block.failed[rows].astype(np.int64),
            )
