"""Plans that are kept, and brought up to date with what has come and gone since.

Rules ask the same again and again, and on a platform with churn every step brings new series. What
has come or gone is indexed by itself, an index over the predicates of the plans tells which of them
it can concern, and each of those takes it in when it is asked for again. A plan that no new series
can belong to is not looked at.

Who waits for whom: writers hold the store's lock, put what has come or gone into an inbox and go
on; they never wait for a reader. A reader empties the inbox under the store's lock, which is the
moment that its plan is of, and needs that lock no more: index and plans have a lock of the
planner's, held for milliseconds, and what takes longer (a pattern over a million values, a million
groups) works without any, on a view of the tags. What came meanwhile reaches a plan as news when it
is asked for again; ids that were reused meanwhile are left out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from pyroaring import BitMap

from collectors.budget import undisturbed
from collectors.model import IndexArray
from collectors.stacklang.predicates.index import PredicateIndex
from collectors.stacklang.predicates.predicate import Query
from collectors.store.series.plan import Admit, GroupKeys, GrowingPlan, Plan, make_plan
from collectors.store.series.table import SeriesTable
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import TagRows
from collectors.store.series.tag_view import TagView
from collectors.store.series.words import WordView

_CACHED_PLANS = 4_096
_CACHED_BYTES = 256 << 20
_SERIES_BYTES, _ROW_BYTES = 8, 400
# What waits until somebody asks; beyond it all plans are rebuilt rather than brought up to date.
_MAX_WAITING = 131_072
# What waits for one plan that nobody asks for.
_MAX_NEWS = 64
_MAX_NEWS_SERIES = 65_536

# What waits in the inbox before a writer sorts it in.
_MAX_INBOX = 8_192

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
    """A plan, where its predicate is filed (-1: nowhere yet), and what it does not know of yet.

    ``growing`` is None while the plan is made.
    """

    key: _Key
    growing: GrowingPlan | None = None
    position: int = -1
    news: list[_News] = field(default_factory=list)
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Series that a query holds for, as they were at one moment.

    Attributes:
        series: Ids, ascending.
        view: Their tags. Ids may be given to others at any time: ask it what is unchanged, last.
    """

    series: IndexArray
    view: TagView


class Planner:
    """Makes plans and keeps the newest; safe for many threads.

    Args:
        table: The series and their tags.
        lock: The store's, which writers hold when they take note of something.
    """

    def __init__(self, table: SeriesTable, lock: threading.Lock) -> None:
        self._table = table
        self._store_lock = lock
        self._lock = threading.Lock()
        self._inbox: deque[_Change] = deque()
        self._inbox_series = 0
        self._index = TagIndex(table.words.view())
        self._forget()

    def _forget(self) -> None:
        """Forget all plans; lock held."""
        self._plans: OrderedDict[_Key, _Kept] = OrderedDict()
        self._held = 0
        self._changes: list[_Change] = []
        self._waiting = 0
        self._predicates = PredicateIndex(())
        self._filed: list[_Kept | None] = []
        self._unfiled: dict[_Key, _Kept] = {}

    # -- writers, which hold the store's lock ----------------------------------------------------

    def note_came(self, ids: IndexArray, tags: TagRows) -> None:
        """Take note of series that were put into the table."""
        self._note(_Change(came=True, ids=ids, tags=tags))

    def note_gone(self, ids: IndexArray, tags: TagRows) -> None:
        """Take note of series that were dropped from the table."""
        self._note(_Change(came=False, ids=ids, tags=tags))

    def _note(self, change: _Change) -> None:
        self._inbox.append(change)
        self._inbox_series += len(change.ids)
        # Somebody must sort them in when nobody asks; whoever reads now does it at its end or next.
        if self._inbox_series >= _MAX_INBOX and self._lock.acquire(blocking=False):
            try:
                self._sort_in(self._take_inbox())
            finally:
                self._lock.release()

    def _take_inbox(self) -> list[_Change]:
        """Return what was noted since the last call; the store's lock held."""
        taken = list(self._inbox)
        self._inbox.clear()
        self._inbox_series = 0
        return taken

    # -- readers ---------------------------------------------------------------------------------

    def plan(self, query: Query, keys: GroupKeys, admit: Admit | None = None) -> Plan:
        """Return the plan for ``query``; ``keys`` None keeps every series apart.

        ``admit`` is told how many rows there will be, before they are made, and may refuse.
        """
        key = (query, keys)
        with self._lock, undisturbed():
            view = self._catch_up()
            self._spread()
            kept = self._plans.get(key)
            if kept is not None and kept.growing is not None:
                self._take_in(kept, kept.growing, view)
                self._plans.move_to_end(key)
                return kept.growing.plan
            known = self._index.everything()
            if mine := kept is None:
                kept = self._plans[key] = self._unfiled[key] = _Kept(key=key)
        made = False
        try:
            series = _matching(self._index, query, known)
            plan = make_plan(view, series, keys, admit)
            made = True
        finally:
            if mine:
                with self._lock:
                    self._keep(kept, GrowingPlan(plan, keys) if made else None)
        return plan

    def _keep(self, kept: _Kept, growing: GrowingPlan | None) -> None:
        """Keep a plan that was made, or forget that one was to be; lock held."""
        if self._plans.get(kept.key) is not kept:
            return  # it missed too much while it was made
        if growing is None:
            self._drop(kept)
            return
        kept.growing = growing
        self._held += _weight(growing.plan)
        self._evict()

    def matching(self, query: Query) -> Matching:
        """Return the series that ``query`` holds for."""
        with self._lock, undisturbed():
            view, known = self._catch_up(), self._index.everything()
        return Matching(series=_matching(self._index, query, known), view=view)

    def keys(self) -> list[str]:
        """Return every key in use, sorted."""
        with self._lock, undisturbed():
            self._catch_up()
        return self._index.keys()

    def values(self, key: str) -> tuple[IndexArray, TagView]:
        """Return the numbers of all values of ``key``, in no order, and what they stand for."""
        with self._lock, undisturbed():
            view = self._catch_up()
        return self._index.values(key), view

    def _catch_up(self) -> TagView:
        """Take in what was noted; return the tags as they are at that moment; lock held."""
        with self._store_lock:
            view, changes = self._table.view(), self._take_inbox()
        self._sort_in(changes)
        return view

    def _sort_in(self, changes: Iterable[_Change]) -> None:
        """Index what has come and gone, and keep it for the plans that there are; lock held."""
        for change in changes:
            (self._index.add if change.came else self._index.remove)(change.ids, change.tags)
            if self._plans:
                self._changes.append(change)
                self._waiting += len(change.ids)
        if self._waiting > _MAX_WAITING:
            self._forget()

    def _spread(self) -> None:
        """Leave what has come and gone with the plans that it may concern; lock held."""
        if not self._changes:
            return
        self._file()
        for news, candidates in _indexed(self._changes, self._table.words.view(), self._predicates):
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

    def _take_in(self, kept: _Kept, growing: GrowingPlan, view: TagView) -> None:
        before = _weight(growing.plan)
        for news in kept.news:
            series = _matching(news.index, kept.key[0])
            if len(series) and news.came:
                growing.add(series, view)
            elif len(series):
                growing.remove(series)
        kept.news.clear()
        kept.waiting = 0
        self._held += _weight(growing.plan) - before

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
        while self._plans and (len(self._plans) > _CACHED_PLANS or self._held > _CACHED_BYTES):
            self._drop(next(iter(self._plans.values())))

    def _drop(self, kept: _Kept) -> None:
        self._held -= _weight(kept.growing.plan) if kept.growing else 0
        del self._plans[kept.key]
        if self._unfiled.pop(kept.key, None) is None:
            self._filed[kept.position] = None


def _weight(plan: Plan) -> int:
    """Return about how many bytes a plan takes."""
    return _SERIES_BYTES * len(plan.series) + _ROW_BYTES * len(plan.tags)


def _matching(index: TagIndex, query: Query, known: BitMap | None = None) -> IndexArray:
    """Return the ids that ``query`` holds for, of those ``known`` at a moment, ascending."""
    found = index.match(query)
    found = found if known is None else found & known
    return np.frombuffer(found.to_array(), dtype=np.uint32).astype(np.int32)


def _indexed(
    changes: Iterable[_Change], words: WordView, predicates: PredicateIndex
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
