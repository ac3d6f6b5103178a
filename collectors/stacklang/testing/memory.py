"""A reference database in memory, for tests and examples.

Columnar, and otherwise as plain as can be: every query looks at every series. What a store with an
index and blocks answers must agree with this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray, IntArray, SeriesKind, Tags, kind_of
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.numeric.elementwise import aggregate_groups
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.text.faults import require

Function = Callable[[IntArray], FloatArray]
"""Values of a series at some times, epoch milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A series: sum, count, min and max of what it stands for, as functions of time."""

    tags: Tags
    total: Function
    count: Function
    smallest: Function
    largest: Function

    def read(self, aggregate: Aggregate, times_ms: IntArray) -> FloatArray:
        """Return what ``aggregate`` needs of this series at some times."""
        if aggregate is Aggregate.COUNT:
            return self.count(times_ms)
        if aggregate is Aggregate.MIN:
            return self.smallest(times_ms)
        return self.largest(times_ms) if aggregate is Aggregate.MAX else self.total(times_ms)


class MemoryDatabase:
    """A :class:`collectors.stacklang.lines.database.Database` over arrays and functions.

    >>> database = MemoryDatabase(step_ms=60_000)
    >>> database.add({"name": "sps"}, start_ms=60_000, values=[1.0, 2.0])
    >>> from collectors.stacklang.evaluation.batch import evaluate
    >>> window = Window(start_ms=60_000, end_ms=120_000, step_ms=60_000)
    >>> evaluate("name,sps,:eq,:sum", database, window).values
    array([[1., 2.]])
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._stored: list[_Stored] = []

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    @property
    def tags(self) -> Sequence[Tags]:
        """The tags of all series, in the order in which they were added."""
        return [stored.tags for stored in self._stored]

    def add(self, tags: Tags, *, start_ms: int, values: Sequence[float] | FloatArray) -> None:
        """Keep a series whose first value is at ``start_ms``, and that is missing elsewhere."""
        self.add_function(tags, self._lookup(start_ms, np.asarray(values, dtype=np.float64)))

    def add_function(self, tags: Tags, function: Function) -> None:
        """Keep a series whose values are computed from the time."""

        def count(times_ms: IntArray) -> FloatArray:
            return np.where(np.isnan(function(times_ms)), np.nan, 1.0)

        self._stored.append(
            _Stored(tags=tags, total=function, count=count, smallest=function, largest=function)
        )

    def add_rollup(self, tags: Tags, *, start_ms: int, members: Sequence[Sequence[float]]) -> None:
        """Keep several series as one that remembers their sum, number, minimum and maximum."""
        table = np.asarray(members, dtype=np.float64)
        start = np.zeros(1, dtype=np.intp)
        columns = [
            self._lookup(start_ms, aggregate_groups(function, table, start)[0])
            for function in (Aggregate.SUM, Aggregate.COUNT, Aggregate.MIN, Aggregate.MAX)
        ]
        total, count, smallest, largest = columns
        self._stored.append(
            _Stored(tags=tags, total=total, count=count, smallest=smallest, largest=largest)
        )

    def keys(self, query: Query) -> Sequence[str]:
        """Return the tag keys of the series that match, sorted."""
        return sorted({key for tags in self.tags if query.matches(tags) for key in tags})

    def values(
        self, key: str, query: Query, after: str = "", most: int | None = None
    ) -> Sequence[str]:
        """Return the values of ``key`` beyond ``after`` among the series that match, sorted."""
        found = {tags[key] for tags in self.tags if key in tags and query.matches(tags)}
        return sorted(value for value in found if value > after)[:most]

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``."""
        window = request.window
        require(
            window.step_ms % self._step_ms == 0,
            f"step {window.step_ms} ms must be a multiple of the database's {self._step_ms} ms",
        )
        matching = [stored for stored in self._stored if request.query.matches(stored.tags)]
        groups: dict[tuple[str, ...], list[_Stored]] = {}
        for stored in matching:
            if all(key in stored.tags for key in request.group_by):
                names = tuple(stored.tags[key] for key in request.group_by)
                groups.setdefault(names, []).append(stored)
        if request.aggregate is Aggregate.ALL:
            rows = [self._consolidated(stored, request) for stored in matching]
            values = np.stack(rows) if rows else np.empty((0, window.steps))
            return Lines(tags=[stored.tags for stored in matching], values=values)
        names_sorted = sorted(groups)
        lines = [self._aggregated(groups[names], request) for names in names_sorted]
        return Lines(
            tags=[dict(zip(request.group_by, names, strict=True)) for names in names_sorted],
            values=np.stack(lines) if lines else np.empty((0, window.steps)),
        )

    def _aggregated(self, group: Sequence[_Stored], request: Fetch) -> FloatArray:
        rows = np.stack([self._consolidated(stored, request) for stored in group])
        # What is counted has been made ones before; ones add up.
        counted = request.aggregate is Aggregate.COUNT
        function = Aggregate.SUM if counted else request.aggregate
        line: FloatArray = aggregate_groups(function, rows, np.zeros(1, dtype=np.intp))[0]
        return line

    def _consolidated(self, stored: _Stored, request: Fetch) -> FloatArray:
        window = request.window
        multiple = window.step_ms // self._step_ms
        times = _primary_times(window, multiple, self._step_ms)
        values = stored.read(request.aggregate, times).reshape(window.steps, multiple)
        if multiple == 1:
            return values[:, 0]
        gauge = kind_of(stored.tags) is SeriesKind.GAUGE
        return consolidate(request.consolidation, values, gauge=gauge)

    def _lookup(self, start_ms: int, values: FloatArray) -> Function:
        def look_up(times_ms: IntArray) -> FloatArray:
            index = (times_ms - start_ms) // self._step_ms
            inside = (index >= 0) & (index < len(values))
            if not len(values):
                return np.full(len(times_ms), np.nan)
            return np.where(inside, values[np.clip(index, 0, len(values) - 1)], np.nan)

        return look_up


def consolidate(function: Consolidation, values: FloatArray, *, gauge: bool) -> FloatArray:
    """Consolidate base steps of one series.

    Args:
        function: How. The average of a rate counts a gap as zero, that of a gauge leaves it out.
        values: Shape (output steps, base steps in each).
        gauge: Whether the series is a gauge rather than a rate.

    Returns:
        Shape (output steps,), NaN where there is nothing.
    """
    if function is Consolidation.MIN:
        return np.asarray(np.fmin.reduce(values, axis=1), dtype=np.float64)
    if function is Consolidation.MAX:
        return np.asarray(np.fmax.reduce(values, axis=1), dtype=np.float64)
    present = ~np.isnan(values)
    counts = present.sum(axis=1)
    sums = np.where(present, values, 0.0).sum(axis=1)
    if function is Consolidation.AVG:
        sums = sums / (np.maximum(counts, 1) if gauge else values.shape[1])
    return np.where(counts > 0, sums, np.nan)


def _primary_times(window: Window, multiple: int, step_ms: int) -> IntArray:
    # A column's timestamp is the end of its interval, so that the last base step is the column's.
    back = np.arange(multiple - 1, -1, -1, dtype=np.int64) * step_ms
    return (window.times_ms[:, None] - back[None, :]).reshape(-1)
