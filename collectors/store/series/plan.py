"""From matching series and group keys to the rows that they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import IndexArray, Tags
from collectors.store.series.table import SeriesTable

GroupKeys = tuple[str, ...] | None
"""Keys whose values make a row; None keeps every series apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Matching series and the row that each belongs to.

    Attributes:
        series: Ids, ascending.
        group: Row of each series, the same length.
        tags: Tags of each row.
    """

    series: IndexArray
    group: IndexArray
    tags: Sequence[Tags]


def make_plan(table: SeriesTable, series: IndexArray, keys: GroupKeys) -> Plan:
    """Return the plan of ``series``, ascending ids; those that lack a key are left out."""
    if keys is None:
        tags = [table.tags(s) for s in series.tolist()]
        return Plan(series=series, group=np.arange(len(series), dtype=np.int32), tags=tags)
    columns = [table.column(key)[series] for key in keys]
    present = np.ones(len(series), dtype=bool)
    for column in columns:
        present &= column > 0
    series, columns = series[present], [column[present] for column in columns]
    code = np.zeros(len(series), dtype=np.int64)
    for column in columns:
        _, code = np.unique(code * len(table.words) + column, return_inverse=True)
    found, first, code = np.unique(code, return_index=True, return_inverse=True)
    texts = table.words.texts
    values = [tuple(texts[column[at]] for column in columns) for at in first.tolist()]
    order = sorted(range(len(found)), key=values.__getitem__)
    rank = np.empty(len(found), dtype=np.int32)
    rank[order] = np.arange(len(found), dtype=np.int32)
    tags = [dict(zip(keys, values[row], strict=True)) for row in order]
    return Plan(series=series, group=rank[code], tags=tags)


class GrowingPlan:
    """A plan that follows its series as they come and go.

    It stays what :func:`make_plan` would make now. As long as no row comes or goes, ``plan.tags``
    stays the same object, so that what others have derived from it still holds.

    Args:
        table: The series and their tags.
        plan: To begin with.
        keys: What makes a row.
    """

    def __init__(self, table: SeriesTable, plan: Plan, keys: GroupKeys) -> None:
        self.plan = plan
        self._table = table
        self._keys = keys
        self._rows: dict[tuple[str, ...], int] = {}

    def add(self, series: IndexArray) -> None:
        """Take in ``series``, ascending ids that match and are not in the plan yet."""
        plan = self.plan
        if self._keys is None:
            self._add_apart(series)
        elif len(series) > len(plan.series):
            every = _merged(plan.series, series, np.searchsorted(plan.series, series))
            self.plan = make_plan(self._table, every, self._keys)
            self._rows = {}
        else:
            self._add_grouped(series, self._keys)

    def remove(self, series: IndexArray) -> None:
        """Leave out ``series``, as far as they are in the plan."""
        plan = self.plan
        kept = ~np.isin(plan.series, series)
        if kept.all():
            return
        rows, group = np.unique(plan.group[kept], return_inverse=True)
        tags = plan.tags
        if len(rows) < len(tags):
            tags = [tags[row] for row in rows.tolist()]
            self._rows = {}
        self.plan = Plan(series=plan.series[kept], group=group.astype(np.int32), tags=tags)

    def _add_apart(self, series: IndexArray) -> None:
        plan = self.plan
        at = np.searchsorted(plan.series, series)
        tags = list(plan.tags)
        # From the end, so that the places before stay what they are.
        for place, number in zip(at[::-1].tolist(), series[::-1].tolist(), strict=True):
            tags.insert(place, self._table.tags(number))
        every = _merged(plan.series, series, at)
        self.plan = Plan(series=every, group=np.arange(len(every), dtype=np.int32), tags=tags)

    def _add_grouped(self, series: IndexArray, keys: tuple[str, ...]) -> None:
        columns = [self._table.column(key)[series] for key in keys]
        present = np.ones(len(series), dtype=bool)
        for column in columns:
            present &= column > 0
        series, columns = series[present], [column[present] for column in columns]
        if not len(series):
            return
        texts = self._table.words.texts
        named = [[texts[number] for number in column.tolist()] for column in columns]
        values = list(zip(*named, strict=True)) if keys else [()] * len(series)
        rows = self._rows_with(values, keys)
        group = np.array([rows[value] for value in values], dtype=np.int32)
        plan = self.plan
        at = np.searchsorted(plan.series, series)
        self.plan = Plan(
            series=_merged(plan.series, series, at),
            group=_merged(plan.group, group, at),
            tags=plan.tags,
        )

    def _rows_with(
        self, values: Iterable[tuple[str, ...]], keys: tuple[str, ...]
    ) -> dict[tuple[str, ...], int]:
        """Return the row by the values of the keys, after making those that are missing."""
        plan = self.plan
        if not self._rows:
            self._rows = {
                tuple([tags[key] for key in keys]): row for row, tags in enumerate(plan.tags)
            }
        new = set(values) - self._rows.keys()
        if new:
            order = sorted([*self._rows, *new])
            rows = {value: row for row, value in enumerate(order)}
            moved = np.array([rows[value] for value in self._rows], dtype=np.int32)
            tags = [
                dict(zip(keys, value, strict=True))
                if value in new
                else plan.tags[self._rows[value]]
                for value in order
            ]
            self.plan = Plan(series=plan.series, group=moved[plan.group], tags=tags)
            self._rows = rows
        return self._rows


def _merged(old: IndexArray, new: IndexArray, at: NDArray[np.intp]) -> IndexArray:
    """Return ``old`` with ``new`` put in before the places ``at``, ascending."""
    # New series mostly have the highest ids: then nothing has to move.
    if len(new) and at[0] == len(old):
        return np.concatenate((old, new))
    return np.insert(old, at, new)
