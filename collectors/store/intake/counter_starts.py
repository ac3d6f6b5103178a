"""Zeros at the start of counters whose sender tells when they began to count.

Without one the first interval of a counter has no rate: what it counted until the first sample
would be lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.model import IndexArray, IntArray
from collectors.store.intake.admission import Resolved
from collectors.store.series.kinds import COUNTER
from collectors.store.series.reserve import reserve
from collectors.store.series.table import SeriesTable


class CounterStarts:
    """Remembers the newest start of every series, so that each gives one zero.

    Args:
        table: The known series.
        kind: Codes of their kinds, by id.
        zero_point_ms: Oldest start, before the first sample, that gives a zero.
    """

    def __init__(self, table: SeriesTable, kind: NDArray[np.int8], zero_point_ms: int) -> None:
        self._table = table
        self._kind = kind
        self._zero_point_ms = zero_point_ms
        self._start_ms: IntArray = reserve((table.capacity,), np.int64)
        self._made: IndexArray = reserve((table.capacity,), np.int32)

    def timely(
        self, resolved: Resolved, start_ms: IntArray, first_ms: IntArray, oldest_ms: int
    ) -> NDArray[np.int64]:
        """Return the rows that are counters and whose start is worth a zero.

        Args:
            resolved: The rows' series.
            start_ms: (S,) starts, 0 for unknown.
            first_ms: (S,) time of each row's first sample; at most its start where it has none.
            oldest_ms: Where the hot window begins.
        """
        ids = resolved.ids
        near = first_ms - self._zero_point_ms
        likely = (ids >= 0) & (start_ms > max(0, oldest_ms)) & (start_ms < first_ms)
        rows = np.flatnonzero(likely & (start_ms >= near))
        found: NDArray[np.int64] = rows[self._kinds_of(ids[rows], resolved) == COUNTER]
        return found

    def unseen(self, ids: IndexArray, start_ms: IntArray) -> NDArray[np.bool_]:
        """Return which starts differ from the one before of the same series, in order."""
        held = self._made[ids] == self._table.incarnation[ids]
        before = np.where(held, self._start_ms[ids], 0)
        if np.array_equal(before, start_ms):
            return np.zeros(len(ids), dtype=np.bool_)
        order = np.argsort(ids, kind="stable")
        repeated = np.flatnonzero(ids[order][1:] == ids[order][:-1]) + 1
        before[order[repeated]] = start_ms[order[repeated - 1]]
        found: NDArray[np.bool_] = before != start_ms
        return found

    def note(self, ids: IndexArray, start_ms: IntArray) -> None:
        """Remember starts, once their samples are kept; of one series the last counts."""
        self._start_ms[ids] = start_ms
        self._made[ids] = self._table.incarnation[ids]

    def _kinds_of(self, ids: IndexArray, resolved: Resolved) -> NDArray[np.int8]:
        """Return the kinds of series, of which some are to be registered only now."""
        kinds = self._kind[ids]
        new = resolved.new
        if new is not None:
            order = np.argsort(new.ids)
            at = np.searchsorted(new.ids, ids, sorter=order)
            place = order[np.minimum(at, len(order) - 1)]
            fresh = new.ids[place] == ids
            kinds[fresh] = self._table.kinds(new.tags)[place[fresh]]
        return kinds
