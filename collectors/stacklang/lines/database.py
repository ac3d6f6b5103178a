"""What evaluation asks of a store: lines already aggregated, on a regular grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from collectors.model import FloatArray, IntArray, Tags
from collectors.stacklang.predicates.predicate import Query


class Aggregate(StrEnum):
    """How series become one line; ``ALL`` keeps each."""

    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    ALL = "all"


class Consolidation(StrEnum):
    """How several base steps of one series become one output step, before aggregation.

    ``AVG`` of a rate counts a gap as zero; of a gauge only present values count. The default for
    sum and count is AVG, for min MIN, for max MAX.
    """

    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The output grid: columns at start, start+step, ... up to and including ``end_ms``.

    Each timestamp is the end of its interval and a multiple of ``step_ms``; ``step_ms`` is a
    multiple of the store's own step.
    """

    start_ms: int
    end_ms: int
    step_ms: int

    @classmethod
    def single(cls, time_ms: int, step_ms: int) -> Window:
        """Return the window of one column, whose interval ends at ``time_ms``."""
        return cls(start_ms=time_ms, end_ms=time_ms, step_ms=step_ms)

    @property
    def steps(self) -> int:
        """Number of columns."""
        return max(0, (self.end_ms - self.start_ms) // self.step_ms + 1)

    @property
    def times_ms(self) -> IntArray:
        """Timestamps of the columns, epoch milliseconds."""
        return self.start_ms + np.arange(self.steps, dtype=np.int64) * self.step_ms

    def shifted(self, delta_ms: int) -> Window:
        """Return this window moved back by ``delta_ms``."""
        return Window(
            start_ms=self.start_ms - delta_ms, end_ms=self.end_ms - delta_ms, step_ms=self.step_ms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One request: series that match, aggregated into groups by the values of ``group_by``.

    A series that lacks any key of ``group_by`` is left out.
    """

    query: Query
    aggregate: Aggregate
    consolidation: Consolidation
    window: Window
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The answer: ``values`` has shape (lines, window.steps), NaN where no series has a value.

    For an aggregate ``tags`` holds the group keys only, one entry a line, lines ordered by the
    group's values; for ``ALL`` it holds the full tags of each series. No matching series: no lines.
    ``tags`` never changes once it was given out: the same object again means the same lines again.
    """

    tags: Sequence[Tags]
    values: FloatArray


class Database(Protocol):
    """Something that can answer :class:`Fetch`."""

    @property
    def step_ms(self) -> int:
        """The base step of stored data, milliseconds."""
        ...

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``; raise ``QueryError`` when it would exceed a limit."""
        ...
