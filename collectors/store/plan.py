"""From a predicate and group keys to series ids and group rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import IndexArray, Tags
from collectors.stacklang.query import Query
from collectors.store.series import SeriesTable
from collectors.store.tag_index import TagIndex

_CACHED_PLANS = 4_096
_CACHED_SERIES = 4_000_000


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


class Planner:
    """Makes plans and keeps the newest while no series comes or goes.

    Args:
        table: The series and their tags.
        index: The predicates' index.
    """

    def __init__(self, table: SeriesTable, index: TagIndex) -> None:
        self._table = table
        self._index = index
        self._plans: OrderedDict[tuple[Query, tuple[str, ...] | None], Plan] = OrderedDict()
        self._held = 0
        self._generation = -1

    def plan(self, query: Query, group_by: tuple[str, ...] | None) -> Plan:
        """Return the plan for ``query``; ``group_by`` None keeps every series apart."""
        if self._generation != self._table.generation:
            self._plans.clear()
            self._held = 0
            self._generation = self._table.generation
        key = (query, group_by)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._make(query, group_by)
            self._held += len(plan.series)
            self._evict()
        self._plans.move_to_end(key)
        return plan

    def matching(self, query: Query) -> IndexArray:
        """Return the ids that ``query`` holds for, ascending."""
        return np.array(self._index.match(query).to_array(), dtype=np.int32)

    def _make(self, query: Query, group_by: tuple[str, ...] | None) -> Plan:
        series = self.matching(query)
        if group_by is None:
            tags = [self._table.tags(s) for s in series.tolist()]
            return Plan(series=series, group=np.arange(len(series), dtype=np.int32), tags=tags)
        return self._grouped(series, group_by)

    def _grouped(self, series: IndexArray, keys: tuple[str, ...]) -> Plan:
        columns = [self._table.column(key)[series] for key in keys]
        present = np.ones(len(series), dtype=bool)
        for column in columns:
            present &= column > 0
        series, columns = series[present], [column[present] for column in columns]
        code = np.zeros(len(series), dtype=np.int64)
        for column in columns:
            _, code = np.unique(code * len(self._table.words) + column, return_inverse=True)
        found, first, code = np.unique(code, return_index=True, return_inverse=True)
        texts = self._table.words.texts
        values = [tuple(texts[column[at]] for column in columns) for at in first.tolist()]
        order = sorted(range(len(found)), key=values.__getitem__)
        rank = np.empty(len(found), dtype=np.int32)
        rank[order] = np.arange(len(found), dtype=np.int32)
        tags = [dict(zip(keys, values[row], strict=True)) for row in order]
        return Plan(series=series, group=rank[code], tags=tags)

    def _evict(self) -> None:
        while self._plans and (len(self._plans) > _CACHED_PLANS or self._held > _CACHED_SERIES):
            self._held -= len(self._plans.popitem(last=False)[1].series)
