"""The data of many standing expressions from one step's values, each series looked at once.

Which data expressions a series belongs to, and to which group of each, depends on its tags alone
and is remembered. A step then costs as much as the series that have a value in it, times the
expressions each of them takes part in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from collectors.model import FloatArray, Tags
from collectors.stacklang.database import Aggregate, Fetch, Lines, Window
from collectors.stacklang.elementwise import aggregate_groups
from collectors.stacklang.expressions.data import DataExpr
from collectors.stacklang.faults import illegal_argument
from collectors.stacklang.predicate_index import PredicateIndex

SeriesKey = tuple[tuple[str, str], ...]
MAX_REMEMBERED_SERIES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepColumns:
    """The values of one step: ``values`` has shape (series,), ``tags`` one entry a series."""

    time_ms: int
    tags: Sequence[Tags]
    values: FloatArray


@dataclass(slots=True)
class _Slot:
    """What one step has for one data expression."""

    rows: list[int] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)


Membership = tuple[tuple[int, tuple[str, ...]], ...]


class StandingData:
    """Routes the values of a step to data expressions.

    Args:
        expressions: The distinct data expressions, without offsets: a step only has its own data.

    Raises:
        QueryError: An expression has an offset.
    """

    def __init__(self, expressions: Sequence[DataExpr]) -> None:
        for expr in expressions:
            if expr.offset:
                raise illegal_argument(
                    f"data from the past can't be had from a single step: {expr}"
                )
        self._expressions = list(expressions)
        self._index = PredicateIndex([expr.query for expr in expressions])
        self._memberships: dict[SeriesKey, Membership] = {}

    def expressions_of(self, tags: Tags) -> list[DataExpr]:
        """Return the data expressions that a series takes part in."""
        return [self._expressions[slot] for slot, _ in self._membership(tags)]

    def lines(self, columns: StepColumns) -> dict[DataExpr, Lines]:
        """Return the lines of every data expression, one column each."""
        slots = [_Slot() for _ in self._expressions]
        present = np.flatnonzero(~np.isnan(columns.values))
        for row in present.tolist():
            for position, group in self._membership(columns.tags[row]):
                slots[position].rows.append(row)
                slots[position].groups.append(group)
        return {
            expr: _lines(expr, slot, columns)
            for expr, slot in zip(self._expressions, slots, strict=True)
        }

    def _membership(self, tags: Tags) -> Membership:
        key: SeriesKey = tuple(sorted(tags.items()))
        known = self._memberships.get(key)
        if known is None:
            if len(self._memberships) >= MAX_REMEMBERED_SERIES:
                self._memberships.clear()
            known = self._memberships[key] = self._find(tags)
        return known

    def _find(self, tags: Tags) -> Membership:
        found: list[tuple[int, tuple[str, ...]]] = []
        for position in self._index.matching(tags):
            keys = self._expressions[position].final_grouping
            if all(key in tags for key in keys):
                found.append((position, tuple(tags[key] for key in keys)))
        return tuple(found)


def _lines(expr: DataExpr, slot: _Slot, columns: StepColumns) -> Lines:
    if expr.aggregate is Aggregate.ALL:
        values = columns.values[slot.rows].reshape(-1, 1)
        return Lines(tags=[columns.tags[row] for row in slot.rows], values=values)
    order = sorted(range(len(slot.rows)), key=slot.groups.__getitem__)
    names = [slot.groups[index] for index in order]
    starts = [index for index, name in enumerate(names) if index == 0 or name != names[index - 1]]
    values = columns.values[[slot.rows[index] for index in order]].reshape(-1, 1)
    keys = expr.final_grouping
    return Lines(
        tags=[dict(zip(keys, names[start], strict=True)) for start in starts],
        values=aggregate_groups(expr.aggregate, values, np.array(starts, dtype=np.intp)),
    )


class StepDatabase:
    """A database of a single step, for the expressions that were announced.

    Args:
        lines: Lines of each data expression, see :meth:`StandingData.lines`.
        step_ms: The step.
    """

    def __init__(self, lines: dict[DataExpr, Lines], step_ms: int) -> None:
        self._step_ms = step_ms
        self._lines = {_identity(expr): found for expr, found in lines.items()}

    @property
    def step_ms(self) -> int:
        """The step, milliseconds."""
        return self._step_ms

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``, which must be one of those announced."""
        identity = (request.query, request.aggregate, request.group_by)
        found = self._lines.get(identity)
        return found or Lines(tags=[], values=np.empty((0, request.window.steps)))


def _identity(expr: DataExpr) -> tuple[object, Aggregate, tuple[str, ...]]:
    return (expr.query, expr.aggregate, expr.final_grouping)


def single_step(time_ms: int, step_ms: int) -> Window:
    """Return the window of one column."""
    return Window(start_ms=time_ms, end_ms=time_ms, step_ms=step_ms)
