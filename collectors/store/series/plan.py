"""From matching series and group keys to the rows that they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from collectors.budget import look
from collectors.model import IndexArray, Tags
from collectors.store.series.tag_view import TagView
from collectors.text_order import text_ranks

GroupKeys = tuple[str, ...] | None
"""Keys whose values make a row; None keeps every series apart."""

Admit = Callable[[int], None]
"""Gets the number of rows that a plan will have; raises if these are too many."""

_ROWS_AT_ONCE = 4_096


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

    def take(self, kept: NDArray[np.bool_]) -> Plan:
        """Return the plan of some of its series, with the rows that they make."""
        if kept.all():
            return self
        rows, group = np.unique(self.group[kept], return_inverse=True)
        tags = self.tags
        if len(rows) < len(tags):
            tags = [tags[row] for row in rows.tolist()]
        return Plan(series=self.series[kept], group=group.astype(np.int32), tags=tags)


def make_plan(
    view: TagView, series: IndexArray, keys: GroupKeys, admit: Admit | None = None
) -> Plan:
    """Return the plan of ``series``, ascending ids.

    Those that lack a key, or are no longer what they were when the view was taken, are left out.
    """
    if keys is None:
        return _apart(view, series, admit)
    columns = [view.values(series, key) for key in keys]
    present = view.unchanged(series)
    for column in columns:
        present &= column > 0
    if not present.all():
        series, columns = series[present], [column[present] for column in columns]
    code = np.zeros(len(series), dtype=np.int64)
    for column in columns:
        look()
        _, code = np.unique(code * len(view.words.texts) + column, return_inverse=True)
    found, first, code = np.unique(code, return_index=True, return_inverse=True)
    if admit is not None:
        admit(len(found))
    look()
    texts = view.words.texts
    numbers = [column[first] for column in columns]
    order = np.arange(len(found))
    if numbers:
        order = np.lexsort([text_ranks(texts, column) for column in reversed(numbers)])
    rank = np.empty(len(found), dtype=np.int32)
    rank[order] = np.arange(len(found), dtype=np.int32)
    tags = _group_tags(texts, keys, [column[order] for column in numbers], len(found))
    return Plan(series=series, group=rank[code], tags=tags)


def _apart(view: TagView, series: IndexArray, admit: Admit | None) -> Plan:
    if admit is not None:
        admit(len(series))
    tags: list[Tags] = []
    for begin in range(0, len(series), _ROWS_AT_ONCE):
        look()
        tags += [view.tags(s) for s in series[begin : begin + _ROWS_AT_ONCE].tolist()]
    same = view.unchanged(series)
    if not same.all():
        series, tags = series[same], [tags[row] for row in np.flatnonzero(same).tolist()]
    return Plan(series=series, group=np.arange(len(series), dtype=np.int32), tags=tags)


class GroupTags(Sequence[Tags]):
    """The tags of many rows, made when they are looked at: a count of lines never does.

    Args:
        texts: Words by number.
        keys: Of the group.
        columns: For each key the number of its value in each row.
    """

    def __init__(
        self, texts: Sequence[str], keys: tuple[str, ...], columns: Sequence[IndexArray]
    ) -> None:
        self._texts = texts
        self._keys = keys
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, row: int) -> Tags: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Tags]: ...
    def __getitem__(self, row: int | slice) -> Tags | Sequence[Tags]:
        """Return the tags of a row, or of some."""
        if isinstance(row, slice):
            return GroupTags(self._texts, self._keys, [column[row] for column in self._columns])
        numbers = [int(column[row]) for column in self._columns]
        return {key: self._texts[n] for key, n in zip(self._keys, numbers, strict=True)}

    def __iter__(self) -> Iterator[Tags]:
        """Yield the tags of each row."""
        for begin in range(0, len(self), _ROWS_AT_ONCE):
            look()
            parts = [column[begin : begin + _ROWS_AT_ONCE].tolist() for column in self._columns]
            for numbers in zip(*parts, strict=True):
                yield {key: self._texts[n] for key, n in zip(self._keys, numbers, strict=True)}


def _group_tags(
    texts: Sequence[str], keys: tuple[str, ...], columns: Sequence[IndexArray], rows: int
) -> Sequence[Tags]:
    """Return the tags of each row: its texts by key."""
    if keys and rows > _ROWS_AT_ONCE:
        return GroupTags(texts, keys, columns)
    tags: list[Tags] = []
    for begin in range(0, rows, _ROWS_AT_ONCE):
        look()
        count = min(_ROWS_AT_ONCE, rows - begin)
        named = [[texts[n] for n in column[begin : begin + count].tolist()] for column in columns]
        values = zip(*named, strict=True) if keys else [()] * count
        tags += [dict(zip(keys, value, strict=True)) for value in values]
    return tags


class GrowingPlan:
    """A plan that follows its series as they come and go.

    It stays what :func:`make_plan` would make now. As long as no row comes or goes, ``plan.tags``
    stays the same object, so that what others have derived from it still holds.

    Args:
        plan: To begin with.
        keys: What makes a row.
    """

    def __init__(self, plan: Plan, keys: GroupKeys) -> None:
        self.plan = plan
        self._keys = keys
        self._rows: dict[tuple[str, ...], int] = {}

    def add(self, series: IndexArray, view: TagView) -> None:
        """Take in ``series``, ascending ids that match and are not in the plan yet."""
        plan = self.plan
        if self._keys is None:
            self._add_apart(series, view)
        elif len(series) > len(plan.series):
            every = _merged(plan.series, series, np.searchsorted(plan.series, series))
            self.plan = make_plan(view, every, self._keys)
            self._rows = {}
        else:
            self._add_grouped(series, self._keys, view)

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

    def _add_apart(self, series: IndexArray, view: TagView) -> None:
        plan, new = self.plan, _apart(view, series, None)
        series = new.series
        at = np.searchsorted(plan.series, series)
        tags = list(plan.tags)
        # From the end, so that the places before stay what they are.
        for place, one in zip(at[::-1].tolist(), reversed(new.tags), strict=True):
            tags.insert(place, one)
        every = _merged(plan.series, series, at)
        self.plan = Plan(series=every, group=np.arange(len(every), dtype=np.int32), tags=tags)

    def _add_grouped(self, series: IndexArray, keys: tuple[str, ...], view: TagView) -> None:
        columns = [view.values(series, key) for key in keys]
        present = view.unchanged(series)
        for column in columns:
            present &= column > 0
        series, columns = series[present], [column[present] for column in columns]
        if not len(series):
            return
        texts = view.words.texts
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
