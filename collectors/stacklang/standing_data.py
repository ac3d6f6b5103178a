"""The data of many standing expressions from one step's values, each series looked at once.

Which data expressions a series belongs to, and to which group of each, depends on its tags alone
and is remembered. A step then costs a pass over the values that some expression wants, and nothing
for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where the series of one data expression stand: rows by group, and where groups start."""

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    tags: Sequence[Tags]


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
        self._planned: Sequence[Tags] | None = None
        self._plans: list[_Plan] = []

    def expressions_of(self, tags: Tags) -> list[DataExpr]:
        """Return the data expressions that a series takes part in."""
        return [self._expressions[slot] for slot, _ in self._membership(tags)]

    def lines(self, columns: StepColumns) -> dict[DataExpr, Lines]:
        """Return the lines of every data expression, one column each.

        As long as ``columns.tags`` is the same object, only values are looked at.
        """
        if columns.tags is not self._planned:
            self._plans = self._plan(columns.tags)
            self._planned = columns.tags
        values = columns.values.reshape(-1, 1)
        return {
            expr: _lines(expr, plan, values)
            for expr, plan in zip(self._expressions, self._plans, strict=True)
        }

    def _plan(self, tags: Sequence[Tags]) -> list[_Plan]:
        found: list[list[tuple[tuple[str, ...], int]]] = [[] for _ in self._expressions]
        for row, entry in enumerate(tags):
            for position, group in self._membership(entry):
                found[position].append((group, row))
        return [
            _plan_one(expr, members, tags)
            for expr, members in zip(self._expressions, found, strict=True)
        ]

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


def _plan_one(
    expr: DataExpr, members: list[tuple[tuple[str, ...], int]], tags: Sequence[Tags]
) -> _Plan:
    members.sort()
    rows = np.array([row for _, row in members], dtype=np.intp)
    if expr.aggregate is Aggregate.ALL:
        return _Plan(rows=rows, starts=rows[:0], tags=[tags[row] for row in rows.tolist()])
    groups = [group for group, _ in members]
    starts = [at for at, group in enumerate(groups) if at == 0 or group != groups[at - 1]]
    names = [dict(zip(expr.final_grouping, groups[at], strict=True)) for at in starts]
    return _Plan(rows=rows, starts=np.array(starts, dtype=np.intp), tags=names)


def _lines(expr: DataExpr, plan: _Plan, values: FloatArray) -> Lines:
    own = values[plan.rows]
    if expr.aggregate is not Aggregate.ALL:
        own = aggregate_groups(expr.aggregate, own, plan.starts)
    return Lines(tags=plan.tags, values=own)


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
