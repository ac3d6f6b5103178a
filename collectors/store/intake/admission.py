"""Which new series come in: validation, the rate of new series, and room for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.clock import Clock
from collectors.limits import Limits
from collectors.model import IndexArray, Rejection, Tags
from collectors.store.series.table import NewSeries, SeriesTable
from collectors.store.series.tag_rows import TagRows, find_rows, intern_rows, join_rows
from collectors.store.wire.label_words import LabelRows
from collectors.tag_rules import TagRules

# Reasons for which new series are refused, whatever they are like.
NO_ROOM = ("seriesLimit", "newSeriesLimit", "tagMemory")
_MINUTE_MS = 60_000
# The share of ``memory_bytes`` that texts of tags may take, and what a series with many adds.
_TEXTS_SHARE = 4
_LARGE_SERIES = 1_024
_NO_ROWS = TagRows(counts=np.empty(0, dtype=np.int32), pairs=np.empty(0, dtype=np.int32))


@dataclass(slots=True)
class Resolved:
    """Ids of a batch's series; -1 where refused.

    Attributes:
        ids: (S,) one id a series.
        new: Series to register, None without any.
        refused: Reason by position in the batch.
        learned: Hashes of label bytes (L, 2), and the ids that they stand for from now on.
    """

    ids: IndexArray
    new: NewSeries | None = None
    refused: dict[int, Rejection] = field(default_factory=dict)
    learned: tuple[NDArray[np.uint64], IndexArray] | None = None


@dataclass(slots=True)
class _Fresh:
    """Series that are not known: where they stand in the batch, and their tags."""

    at: NDArray[np.int64]
    tags: TagRows


class Admission:
    """Finds the ids of known series and decides on new ones.

    Args:
        table: The known series.
        limits: What is allowed.
        rules: Which tags are.
        max_series: Series for which the hot blocks have room.
        clock: For the quota of new series a minute.
    """

    def __init__(
        self,
        table: SeriesTable,
        limits: Limits,
        rules: TagRules,
        max_series: int,
        clock: Clock,
    ) -> None:
        self._table = table
        self._limits = limits
        self._rules = rules
        self._max_series = max_series
        self._clock = clock
        self._minute = 0
        self._new_this_minute = 0

    def room(self) -> int:
        """Return how many new series would be admitted now."""
        return max(0, min(self._quota_left(), self._places_left(), self._texts_left()))

    @property
    def max_series(self) -> int:
        """Series for which memory has room."""
        return self._max_series

    @property
    def new_this_minute(self) -> int:
        """Series that came in within this minute of the clock."""
        now = self._clock.now_ms() // _MINUTE_MS == self._minute
        return self._new_this_minute if now else 0

    @property
    def texts_bytes(self) -> int:
        """What the texts of tags take."""
        return self._table.words.size

    @property
    def max_texts_bytes(self) -> int:
        """What they may take."""
        return self._limits.memory_bytes // _TEXTS_SHARE

    def _quota_left(self) -> int:
        minute = self._clock.now_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._new_this_minute = minute, 0
        return self._limits.new_series_per_minute - self._new_this_minute

    def _places_left(self) -> int:
        return self._max_series - len(self._table)

    def _texts_left(self) -> int:
        """Return how many series with many tags the share of memory for texts still has."""
        left = self.max_texts_bytes - self.texts_bytes
        return left // _LARGE_SERIES

    def resolve(self, series: Sequence[Tags]) -> Resolved:
        """Find or prepare ids; nothing is registered yet, so a failing log leaves no trace."""
        resolved = Resolved(np.full(len(series), -1, dtype=np.int32))
        self._admit([self._fresh_tags(dict(enumerate(series)), resolved)], resolved)
        return resolved

    def find(self, tags: Tags) -> int:
        """Return the id of the series with exactly these tags, -1 for none."""
        rows = find_rows(self._table.words, [tags])
        found = self._table.find(rows.identities(self._table.words))
        return int(found[0]) if rows.known()[0] else -1

    def resolve_labels(self, rows: LabelRows) -> Resolved:
        """As :meth:`resolve` for labels of a remote-write body."""
        count = len(rows.clean) + len(rows.odd) + len(rows.refused)
        resolved = Resolved(np.full(count, -1, dtype=np.int32), refused=dict(rows.refused))
        fresh = [self._unknown(rows.clean, rows.tags, resolved)]
        if rows.odd:
            fresh.append(self._fresh_tags(rows.odd, resolved))
        self._admit(fresh, resolved)
        return resolved

    def _unknown(self, at: NDArray[np.int64], tags: TagRows, resolved: Resolved) -> _Fresh:
        """Fill in the ids of known series; return the others."""
        found = self._table.find(tags.identities(self._table.words))
        found[~tags.known()] = -1
        resolved.ids[at] = found
        unknown = np.flatnonzero(found < 0)
        if not len(unknown):
            return _Fresh(unknown, _NO_ROWS)
        return _Fresh(at[unknown], tags.take(unknown))

    def _fresh_tags(self, series: Mapping[int, Tags], resolved: Resolved) -> _Fresh:
        """As :meth:`_unknown` for tags that nobody has judged yet."""
        at = np.array(list(series), dtype=np.int64)
        unknown = self._unknown(at, find_rows(self._table.words, list(series.values())), resolved)
        good: list[int] = []
        for row in unknown.at.tolist():
            refused = self._rules.refuse(series[row])
            if refused is None:
                good.append(row)
            else:
                resolved.refused[row] = refused
        room = self.room()  # beyond it words get no numbers: what is refused leaves nothing behind
        for row in good[room:]:
            resolved.refused[row] = self._no_room(series[row])
        good = good[:room]
        tags = intern_rows(self._table.words, [series[row] for row in good])
        return _Fresh(np.array(good, dtype=np.int64), tags)

    def _admit(self, fresh: Sequence[_Fresh], resolved: Resolved) -> None:
        """Give ids to as many new series as there is room for."""
        at = np.concatenate([some.at for some in fresh])
        if not len(at):
            return
        tags = join_rows([some.tags for some in fresh])
        identities = tags.identities(self._table.words)
        _, first, which = np.unique(identities[:, 0], return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))  # in the order of their first appearance
        which, first = rank[which], np.sort(first)
        admitted = min(len(first), self.room())
        for row in np.flatnonzero(which >= admitted).tolist():
            resolved.refused[int(at[row])] = self._no_room(tags.texts(row, self._table.words))
        if not admitted:
            return
        rows = first[:admitted]
        ids = self._table.next_ids(admitted)
        resolved.ids[at[which < admitted]] = ids[which[which < admitted]]
        resolved.new = NewSeries(ids=ids, identities=identities[rows], tags=tags.take(rows))
        self._new_this_minute += admitted

    def _no_room(self, tags: Tags) -> Rejection:
        if self._texts_left() < min(self._places_left(), self._quota_left()):
            detail = (
                f"the texts of tags take {self.texts_bytes} bytes of {self.max_texts_bytes}; raise "
                "memory_bytes, or drop tags whose values never end"
            )
            return Rejection(reason="tagMemory", detail=detail, tags=tags)
        if self._places_left() <= self._quota_left():
            detail = (
                f"{len(self._table)} series are held and memory has room for {self._max_series}; "
                "raise max_series or memory_bytes, shorten the hot window, or drop tags"
            )
            return Rejection(reason="seriesLimit", detail=detail, tags=tags)
        quota = self._limits.new_series_per_minute
        detail = f"more than {quota} new series within a minute; look for a tag without bounds"
        return Rejection(reason="newSeriesLimit", detail=detail, tags=tags)
