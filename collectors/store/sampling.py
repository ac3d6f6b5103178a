"""The store as PromQL sees it: samples of series that match, from blocks and from history."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from collectors.budget import elsewhere, look, reserved, spend
from collectors.errors import QueryError, StorageError
from collectors.model import DSTYPE, FloatArray, IndexArray, IntArray, SeriesKind, Tags
from collectors.prometheus_labels import label_name, tag_key
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.table import Labels, joined
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import EVER, Samples, Span
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.predicates.predicate import Equal, Query
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.blocks.flat_samples import Room, fill, readable, room_for
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.presence import present
from collectors.store.blocks.readers import Readers
from collectors.store.blocks.step_samples import StepSamples, counters, flatten, samples_of
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.history.metric_history import MAX_SERIES_LISTED
from collectors.store.history.share import HistoryShare
from collectors.store.promql_query import query_of
from collectors.store.series.tag_view import TagView

# So few that their samples stay in the processor's cache, and so many that it pays.
_SERIES_AT_ONCE = 256
_SAMPLE_BYTES = 16
_CELL_BYTES = 48
_TAGS_BYTES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """The steps of a selection: from ``first`` on, ``columns``, of which history has ``behind``."""

    first: int
    columns: int
    behind: int
    step_ms: int
    first_ms: int
    last_ms: int


class _Listed:
    """Series that history has in a span: patterns hold of values that are in memory no more.

    Args:
        keeper: The history.
        start_ms: First step.
        end_ms: Last step.
    """

    def __init__(self, keeper: HistoryKeeper | HistoryShare, start_ms: int, end_ms: int) -> None:
        self._keeper = keeper
        self._span_ms = max(1, start_ms), end_ms
        self.cut = False

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate for matchers; history is asked only where there is a pattern."""
        return query_of(matchers, self._values)

    def series(self, query: Query) -> list[Tags]:
        """Return the tags of series that match; ``cut`` when there are more."""
        tags, more = self._keeper.series_between(query, *self._span_ms)
        self.cut = self.cut or more
        return tags

    def _values(self, key: str, narrow: Query) -> list[str]:
        found = self.series(narrow)
        if self.cut:
            # To try a pattern on some values alone would list series that don't match.
            raise QueryError(
                f"a pattern is tried on at most {MAX_SERIES_LISTED} of them; add a matcher "
                "with = or ask for a shorter time",
                kind="IllegalArgumentException",
            )
        return sorted({one[key] for one in found if key in one})


class StoredSamples:
    """Answers PromQL from a store; a :class:`~collectors.promql.samples.columns.Source`.

    Args:
        hot: Blocks, series and index.
        keeper: History, None without it.
        readers: Who reads pages.
    """

    def __init__(
        self, hot: HotTier, keeper: HistoryKeeper | HistoryShare | None, readers: Readers
    ) -> None:
        self._hot = hot
        self._keeper = keeper
        self._readers = readers

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate for matchers."""
        return query_of(matchers, self._hot.values)

    def label_sets(self, matchers: Sequence[Matcher], words: Words, span_ms: Span = EVER) -> Labels:
        """Return the label sets of series that match, are held, and have samples in a span."""
        view, ids = self._held(matchers, span_ms)
        return labels_of(view, ids, words)

    def label_names(self, matchers: Sequence[Matcher], span_ms: Span = EVER) -> list[str]:
        """Return the labels of such series, sorted."""
        if self._within(span_ms):
            keys = self._hot.keys(self.query(matchers))
        else:
            view, ids = self._held(matchers, span_ms)
            keys = [view.words.texts[key] for key in np.unique(view.tag_rows(ids).pairs[::2])]
        names = (label_name(key) for key in keys)
        return sorted(name for name in names if name)

    def label_values(
        self, name: str, matchers: Sequence[Matcher], span_ms: Span = EVER
    ) -> list[str]:
        """Return the values of a label among such series, sorted."""
        key = tag_key(name)
        if key == DSTYPE:
            return []
        if self._within(span_ms):
            return self._hot.values(key, self.query(matchers))
        view, ids = self._held(matchers, span_ms)
        numbers = np.unique(view.values(ids, key)).tolist()
        return sorted(view.words.texts[number] for number in numbers if number)

    def older(
        self, matchers: Sequence[Matcher], span_ms: Span
    ) -> tuple[list[dict[str, str]], list[str]]:
        """Return the label sets of series that history has in a span, and what is to be said."""
        first, last = self._span(span_ms)
        last = min(last, self._hot.first_step - 1)
        if self._keeper is None or last < first:
            return [], []
        listed = _Listed(self._keeper, first * self._hot.step_ms, last * self._hot.step_ms)
        try:
            with elsewhere():
                tags = listed.series(listed.query(matchers))
        except (QueryError, StorageError) as error:
            return [], [f"series of history are left out: {error.message}"]
        spend(_TAGS_BYTES * len(tags), "series of history")
        notes = [f"history has more than {MAX_SERIES_LISTED} series; some are left out"]
        return [_shown(one) for one in tags], notes if listed.cut else []

    def _held(self, matchers: Sequence[Matcher], span_ms: Span) -> tuple[TagView, IndexArray]:
        """Return the series that match and have samples in a span, and their tags."""
        found = self._hot.matching(self.query(matchers))
        ids = found.series
        if not self._within(span_ms):
            with self._readers.reading():
                blocks, readings = self._hot.blocks, self._hot.readings
                ids = ids[present(blocks, readings, ids, *self._span(span_ms))]
        return found.view, ids[found.view.unchanged(ids)]

    def _within(self, span_ms: Span) -> bool:
        """Return whether all that is held lies in a span."""
        first, last = self._span(span_ms)
        blocks = self._hot.blocks
        return first <= blocks.first_step and last >= (blocks.head + 1) * BLOCK_STEPS - 1

    def _span(self, span_ms: Span) -> tuple[int, int]:
        """Return the first and the last step of a span."""
        return self._hot.blocks.step_of(span_ms[0]), self._hot.blocks.step_of(span_ms[1])

    def counted(self, name: str, matchers: Sequence[Matcher]) -> dict[str, int]:
        """Return how many series that match have each value of a label."""
        return self._hot.value_counts(tag_key(name), self.query(matchers))

    def counters(self) -> set[str]:
        """Return the names of metrics whose series are cumulative counters."""
        return set(self._hot.values("name", Equal(DSTYPE, SeriesKind.COUNTER.value)))

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        """Return what was sampled after ``first_ms`` and up to ``last_ms`` by series that match."""
        parts = []
        for part in self._parts(matchers, first_ms, last_ms, words):
            spend(_SAMPLE_BYTES * len(part.values), "samples")
            parts.append(_copied(part))
        return merged_samples(parts, words)

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield the same, some series at a time; all at once where some are of different kinds.

        Those may have the same labels. A part's samples are void once the next one is asked for.
        """
        found = self._hot.matching(self.query(matchers))
        if len(np.unique(found.view.values(found.series, DSTYPE))) > 1:
            yield self.select(matchers, first_ms, last_ms, words)
            return
        yield from self._parts(matchers, first_ms, last_ms, words, names)

    def _parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        query, steps = self.query(matchers), self._steps(first_ms, last_ms)
        found = self._hot.matching(query)
        ids = found.series[found.view.unchanged(found.series)]
        older = self._older(matchers, steps)
        labels = labels_of(found.view, ids, words, names)
        room = room_for(min(len(ids), _SERIES_AT_ONCE), steps.columns)
        with self._readers.reading():
            for begin in range(0, len(ids), _SERIES_AT_ONCE):
                look()
                rows = np.arange(begin, min(begin + _SERIES_AT_ONCE, len(ids)))
                with reserved(_CELL_BYTES * len(rows) * (steps.columns + steps.behind), "samples"):
                    part = self._part(ids[rows], labels.take(rows), steps, older, room)
                yield part
        if older is not None:
            yield _gone(older, steps, words)

    def _steps(self, first_ms: int, last_ms: int) -> _Steps:
        step_ms, blocks = self._hot.step_ms, self._hot.blocks
        last = min(blocks.step_of(last_ms), max(0, (blocks.head + 1) * BLOCK_STEPS - 1))
        first = max(1, blocks.step_of(first_ms + 1))
        hot_first = max(first, self._hot.first_step)
        behind = max(0, min(hot_first, last + 1) - first) if self._keeper else 0
        start = first + behind if self._keeper else hot_first
        return _Steps(
            first=start,
            columns=max(0, last - start + 1),
            behind=behind,
            step_ms=step_ms,
            first_ms=first_ms,
            last_ms=last_ms,
        )

    def _older(
        self, matchers: Sequence[Matcher], steps: _Steps
    ) -> dict[frozenset[tuple[str, str]], FloatArray] | None:
        if not steps.behind or self._keeper is None:
            return None
        first = steps.first - steps.behind
        window = Window(
            start_ms=first * steps.step_ms,
            end_ms=(steps.first - 1) * steps.step_ms,
            step_ms=steps.step_ms,
        )
        with elsewhere():
            request = Fetch(
                query=_Listed(self._keeper, window.start_ms, window.end_ms).query(matchers),
                aggregate=Aggregate.ALL,
                consolidation=Consolidation.AVG,
                window=window,
            )
            lines: Lines = self._keeper.fetch(request, window.steps)
        return {_key(tags): row for tags, row in zip(lines.tags, lines.values, strict=True)}

    def _part(
        self,
        ids: IndexArray,
        labels: Labels,
        steps: _Steps,
        older: dict[frozenset[tuple[str, str]], FloatArray] | None,
        room: Room,
    ) -> Samples:
        blocks, readings = self._hot.blocks, self._hot.readings
        if older is None and readable(blocks, readings, ids, steps.first):
            span_ms = steps.first_ms, steps.last_ms
            count = fill(blocks, readings, ids, (steps.first, steps.columns), span_ms, room)
            return _present(labels, room.offsets[: len(ids) + 1], room, count)
        before: FloatArray | None = None
        if older is not None:
            view = self._hot.view()
            before = np.full((len(ids), steps.behind), np.nan)
            for row, series in enumerate(ids.tolist()):
                kept = older.pop(_key(view.tags(series)), None)
                if kept is not None:
                    before[row] = kept
        found = samples_of(blocks, readings, ids, steps.first, steps.columns, before)
        first = steps.first - (0 if before is None else steps.behind)
        return _flat(found, labels, first, steps)


def _key(tags: Tags) -> frozenset[tuple[str, str]]:
    return frozenset(tags.items())


def _shown(tags: Tags) -> dict[str, str]:
    """Return tags as labels."""
    named = ((label_name(key), value) for key, value in tags.items())
    return {name: value for name, value in named if name}


def labels_of(
    view: TagView, ids: IndexArray, words: Words, names: Collection[str] | None = None
) -> Labels:
    """Return the label sets of series, all of their labels or those of some names."""
    texts = view.words.texts
    keys = [view.words.find(tag_key(name)) for name in names or ()]
    if names is None:
        keys = np.unique(view.tag_rows(ids).pairs[::2]).tolist()
    columns: dict[str, IndexArray] = {}
    for key in keys:
        name = label_name(texts[key])
        if name is None or not key:
            continue
        values = view.values(ids, texts[key])
        numbers, inverse = np.unique(values, return_inverse=True)
        own = words.numbers(texts[number] for number in numbers.tolist())
        columns[name] = own[inverse.reshape(-1)]
    return Labels(words=words, columns=columns, size=len(ids))


def _flat(found: StepSamples, labels: Labels, first: int, steps: _Steps) -> Samples:
    """Return samples a step as samples in flat columns, within the times asked for."""
    room = room_for(*found.values.shape)
    flatten(
        found.values,
        found.lags,
        first,
        steps.step_ms,
        steps.first_ms,
        steps.last_ms,
        room.offsets,
        room.times,
        room.values,
        room.values.view(np.int64),
    )
    return _present(labels, room.offsets, room, int(room.offsets[-1]))


def _present(labels: Labels, offsets: IntArray, room: Room, count: int) -> Samples:
    """Return the samples of the series that have some; they stay in the room."""
    kept = np.flatnonzero(np.diff(offsets))
    if len(kept) < labels.size:
        labels, offsets = labels.take(kept), np.append(offsets[kept], count)
    return Samples(
        labels=labels, offsets=offsets, times=room.times[:count], values=room.values[:count]
    )


def _copied(part: Samples) -> Samples:
    """Return samples that stay when the next part is read; no more is held than there is."""
    return replace(
        part, offsets=part.offsets.copy(), times=part.times.copy(), values=part.values.copy()
    )


def _gone(
    older: dict[frozenset[tuple[str, str]], FloatArray], steps: _Steps, words: Words
) -> Samples:
    """Return the samples of series that history alone has."""
    sets, kinds = [], []
    for key in older:
        tags = dict(key)
        kinds.append(tags.get(DSTYPE) == SeriesKind.COUNTER)
        sets.append(_shown(tags))
    first = steps.first - steps.behind
    values = np.array(list(older.values())).reshape(len(older), steps.behind)
    rows = np.flatnonzero(kinds)
    if len(rows):
        nothing = np.full((len(rows), steps.behind), np.nan)
        never: IntArray = np.zeros(len(rows), dtype=np.int64)
        values[rows] = counters(values[rows], nothing, never, first, steps.step_ms)
    lags = np.zeros(values.shape, dtype=np.int64)
    return _flat(StepSamples(values=values, lags=lags), Labels.of(words, sets), first, steps)


def merged_samples(parts: Sequence[Samples], words: Words) -> Samples:
    """Return parts as one; series with the same labels, of two kinds, become one."""
    if not parts:
        return Samples(
            labels=Labels.blank(words, 0),
            offsets=np.zeros(1, dtype=np.int64),
            times=np.zeros(0, dtype=np.int64),
            values=np.zeros(0),
        )
    labels = parts[0].labels if len(parts) == 1 else joined([part.labels for part in parts])
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    times = np.concatenate([part.times for part in parts]) if len(parts) > 1 else parts[0].times
    values = np.concatenate([p.values for p in parts]) if len(parts) > 1 else parts[0].values
    ids, first = labels.ids()
    if len(first) < len(ids):
        of_sample = np.repeat(ids, counts)
        order = np.lexsort((times, of_sample))
        of_sample, times, values = of_sample[order], times[order], values[order]
        new = np.concatenate(
            [np.ones(1, dtype=np.bool_), (np.diff(of_sample) != 0) | (np.diff(times) != 0)]
        )[: len(times)]
        of_sample, times, values = of_sample[new], times[new], values[new]
        labels, counts = labels.take(first), np.bincount(of_sample, minlength=len(first))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
    return Samples(labels=labels, offsets=offsets, times=times, values=values)
