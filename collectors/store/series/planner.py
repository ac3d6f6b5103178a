"""Plans that are kept, and brought up to date with what has come and gone since.

Rules ask the same again and again, and on a platform with churn every step brings new series. What
has come or gone is indexed by itself, an index over the predicates of the plans tells which of them
it can concern, and each of those takes it in when it is asked for again. A plan that no new series
can belong to is not looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from collectors.model import IndexArray
from collectors.stacklang.predicates.index import PredicateIndex
from collectors.stacklang.predicates.predicate import Query
from collectors.store.series.plan import GroupKeys, GrowingPlan, Plan, make_plan
from collectors.store.series.table import SeriesTable
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import TagRows
from collectors.store.series.words import Words

_CACHED_PLANS = 4_096
_CACHED_SERIES = 4_000_000
# What waits until somebody asks; beyond it all plans are rebuilt rather than brought up to date.
_MAX_WAITING = 131_072
# What waits for one plan that nobody asks for.
_MAX_NEWS = 64
_MAX_NEWS_SERIES = 65_536

_Key = tuple[Query, GroupKeys]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Series that have come or gone, one after the other in time."""

    came: bool
    ids: IndexArray
    tags: TagRows


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """Several changes of one sort, indexed."""

    came: bool
    index: TagIndex
    series: int


@dataclass(slots=True, kw_only=True)
class _Kept:
    """A plan, where its predicate is filed (-1: nowhere yet), and what it does not know of yet."""

    key: _Key
    growing: GrowingPlan
    position: int = -1
    news: list[_News] = field(default_factory=list)
    waiting: int = 0


class Planner:
    """Makes plans and keeps the newest.

    Args:
        table: The series and their tags.
        index: Finds series by a predicate.
    """

    def __init__(self, table: SeriesTable, index: TagIndex) -> None:
        self._table = table
        self._index = index
        self._plans: OrderedDict[_Key, _Kept] = OrderedDict()
        self._held = 0
        self._changes: list[_Change] = []
        self._waiting = 0
        self._noted = 0
        self.forget()

    def forget(self) -> None:
        """Forget all plans: what they were made of is no longer so."""
        self._plans.clear()
        self._held = 0
        self._changes.clear()
        self._waiting = 0
        self._noted = self._table.generation
        self._predicates = PredicateIndex(())
        self._filed: list[_Kept | None] = []
        self._unfiled: dict[_Key, _Kept] = {}

    def note_came(self, ids: IndexArray, tags: TagRows) -> None:
        """Take note of series that were put into the table."""
        self._note(_Change(came=True, ids=ids, tags=tags))

    def note_gone(self, ids: IndexArray, tags: TagRows) -> None:
        """Take note of series that were dropped from the table."""
        self._note(_Change(came=False, ids=ids, tags=tags))

    def plan(self, query: Query, keys: GroupKeys) -> Plan:
        """Return the plan for ``query``; ``keys`` None keeps every series apart."""
        if self._noted != self._table.generation:
            self.forget()
        if self._changes:
            self._spread()
        key = (query, keys)
        kept = self._plans.get(key)
        if kept is None:
            plan = make_plan(self._table, self.matching(query), keys)
            kept = _Kept(key=key, growing=GrowingPlan(self._table, plan, keys))
            self._plans[key] = self._unfiled[key] = kept
            self._held += len(plan.series)
            self._evict()
        elif kept.news:
            self._take_in(kept)
        self._plans.move_to_end(key)
        return kept.growing.plan

    def matching(self, query: Query) -> IndexArray:
        """Return the ids that ``query`` holds for, ascending."""
        return _matching(self._index, query)

    def _note(self, change: _Change) -> None:
        self._noted += 1
        if self._plans:
            self._changes.append(change)
            self._waiting += len(change.ids)
            if self._waiting > _MAX_WAITING:
                self.forget()

    def _spread(self) -> None:
        """Leave what has come and gone with the plans that it may concern."""
        self._file()
        for news, candidates in _indexed(self._changes, self._table.words, self._predicates):
            for position in candidates:
                kept = self._filed[position]
                if kept is None:
                    continue
                kept.news.append(news)
                kept.waiting += news.series
                if len(kept.news) > _MAX_NEWS or kept.waiting > _MAX_NEWS_SERIES:
                    self._drop(kept)
        self._changes.clear()
        self._waiting = 0

    def _take_in(self, kept: _Kept) -> None:
        before = len(kept.growing.plan.series)
        for news in kept.news:
            series = _matching(news.index, kept.key[0])
            if len(series):
                (kept.growing.add if news.came else kept.growing.remove)(series)
        kept.news.clear()
        kept.waiting = 0
        self._held += len(kept.growing.plan.series) - before

    def _file(self) -> None:
        """File the predicates of new plans; the places of dropped ones are freed now and then."""
        if len(self._filed) + len(self._unfiled) > 2 * len(self._plans) + _MAX_NEWS:
            self._predicates = PredicateIndex(())
            self._filed, self._unfiled = [], dict(self._plans)
        for kept in self._unfiled.values():
            kept.position = self._predicates.add(kept.key[0])
            self._filed.append(kept)
        self._unfiled = {}

    def _evict(self) -> None:
        while self._plans and (len(self._plans) > _CACHED_PLANS or self._held > _CACHED_SERIES):
            self._drop(next(iter(self._plans.values())))

    def _drop(self, kept: _Kept) -> None:
        self._held -= len(kept.growing.plan.series)
        del self._plans[kept.key]
        if self._unfiled.pop(kept.key, None) is None:
            self._filed[kept.position] = None


def _matching(index: TagIndex, query: Query) -> IndexArray:
    return np.frombuffer(index.match(query).to_array(), dtype=np.uint32).astype(np.int32)


def _indexed(
    changes: Iterable[_Change], words: Words, predicates: PredicateIndex
) -> Iterator[tuple[_News, Iterable[int]]]:
    """Yield runs of changes of one sort with the predicates that may concern them."""
    for came, run in groupby(changes, key=lambda change: change.came):
        index, series, codes = TagIndex(words), 0, []
        for change in run:
            index.add(change.ids, change.tags)
            series += len(change.ids)
            numbers = change.tags.pairs.astype(np.int64)
            codes.append(numbers[::2] << 32 | numbers[1::2])
        pairs, texts = np.unique(np.concatenate(codes)).tolist(), words.texts
        found = predicates.candidates_of((texts[p >> 32], texts[p & 0xFFFFFFFF]) for p in pairs)
        yield _News(came=came, index=index, series=series), found
