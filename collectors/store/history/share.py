"""The history of some slots: what the others have is answered by other nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collectors.history.within_slots import WithinSlots
from collectors.model import Tags
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.stacklang.predicates.predicate import And, Query
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.series.slots import kind_numbers


class HistoryShare:
    """Asks a history for the series of some slots.

    Args:
        keeper: The history.
        slots: (256,) which.
    """

    def __init__(self, keeper: HistoryKeeper, slots: NDArray[np.bool_]) -> None:
        self._keeper = keeper
        self._within = WithinSlots(
            slots=tuple(np.flatnonzero(slots).tolist()), kinds=tuple(kind_numbers().items())
        )

    def beside(self, request: Fetch, hot: Callable[[int], Lines]) -> tuple[Lines, int]:
        """Return what :meth:`HistoryKeeper.beside` does."""
        return self._keeper.beside(request, hot)

    def fetch(self, request: Fetch, columns: int) -> Lines:
        """Answer the first ``columns`` columns."""
        return self._keeper.fetch(replace(request, query=self._narrow(request.query)), columns)

    def series_between(self, query: Query, first_ms: int, last_ms: int) -> tuple[list[Tags], bool]:
        """Return what :meth:`MetricHistory.series_between` does."""
        return self._keeper.series_between(self._narrow(query), first_ms, last_ms)

    def _narrow(self, query: Query) -> Query:
        return And(query, self._within)
