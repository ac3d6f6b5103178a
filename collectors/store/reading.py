"""What a store answers, of all that it holds or of a share of it."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from collectors.budget import elsewhere, reserved, spend
from collectors.limits import Limits
from collectors.stacklang.lines.database import Aggregate, Database, Fetch, Lines
from collectors.stacklang.lines.line_merge import join_lines, sort_groups
from collectors.stacklang.lines.span_data import wanted_of_spans
from collectors.stacklang.predicates.predicate import Query
from collectors.store.arrivals import Heard, Senders, heard_of
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.readers import Readers
from collectors.store.bounds import check_size, check_window
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.history.share import HistoryShare
from collectors.store.sampling import StoredSamples
from collectors.tag_counts import TagCounts, counted

# What the tags of one line take.
_LINE_BYTES = 400


class StoreReader:
    """Reads blocks beside writers, and history.

    Args:
        hot: Blocks, series and index.
        readers: Who reads pages.
        senders: Who sends which series.
        limits: What an answer may be.
    """

    def __init__(self, hot: HotTier, readers: Readers, senders: Senders, limits: Limits) -> None:
        self.of_spans: Database | None = None
        """Answers what is asked of spans."""
        self._hot = hot
        self._keeper: HistoryKeeper | None = None
        self._older: HistoryKeeper | HistoryShare | None = None
        self._readers = readers
        self._senders = senders
        self._limits = limits

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._hot.step_ms

    def share(self, slots: NDArray[np.bool_]) -> StoreReader:
        """Return what answers one question of the series in some slots, (256,), and of no span."""
        hot = self._hot.share(slots)
        share = StoreReader(hot, self._readers, self._senders, self._limits)
        if self._keeper is not None:
            share._older = HistoryShare(self._keeper, slots)
        return share

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``.

        Raises:
            QueryError: The window does not fit the base step, or the answer would be too large.
        """
        check_window(request.window, self.step_ms)
        if self.of_spans is not None and wanted_of_spans(request.query):
            return self.of_spans.fetch(request)
        if self._older is None:
            return self._fetch_hot(request, 0)
        hot, behind = self._older.beside(request, partial(self._fetch_hot, request))
        if not behind:
            return hot
        with elsewhere():
            older = self._older.fetch(request, behind)
        lines = join_lines(older, hot)
        self._check_size(len(lines.tags), request.window.steps)
        every = request.aggregate is Aggregate.ALL
        return lines if every else sort_groups(lines, request.group_by)

    def _fetch_hot(self, request: Fetch, skip: int) -> Lines:
        """Answer from the hot blocks, without the first ``skip`` columns."""
        columns = request.window.steps

        def admit(lines: int) -> None:
            self._check_size(lines, columns)
            spend(lines * _LINE_BYTES, "the tags of lines")

        plan = self._hot.plan(request, admit)
        lines = len(plan.tags)
        self._check_size(lines, columns)
        # The kernel needs totals, and how many series each is of.
        with reserved(2 * 8 * lines * columns, "lines"), self._readers.reading():
            return Lines(tags=plan.tags, values=self._hot.aggregate(plan, request, skip))

    def samples(self) -> StoredSamples:
        """Return the store as PromQL sees it."""
        return StoredSamples(self._hot, self._older, self._readers)

    def heard(self, request: Fetch) -> Heard:
        """Return when the series that ``request`` matches were last heard of, its window aside."""
        plan = self._hot.plan(request)
        return heard_of(plan, self._hot.view(), self._senders, self._hot.blocks)

    def newest_ms(self, request: Fetch) -> int:
        """Return the end of the newest step in which any series that matches has a value, or 0."""
        seen = self._hot.blocks.arrays.seen[self._hot.plan(request).series]
        return int(seen.max(initial=0)) * self.step_ms

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        return self._hot.keys(query)

    def values(self, key: str, query: Query, after: str = "", most: int | None = None) -> list[str]:
        """Return the least ``most`` values of ``key`` beyond ``after`` of series that match."""
        return self._hot.values(key, query, after, most)

    def value_counts(self, key: str, query: Query) -> dict[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        return self._hot.value_counts(key, query)

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag, counted over ``most`` of them."""
        series, rows, texts = self._hot.tag_rows(query, most)
        return TagCounts(series=series, counted=len(rows), tags=counted(rows.pairs, texts))

    def _check_size(self, lines: int, columns: int) -> None:
        check_size(lines, columns, self._limits.max_fetch_values)
