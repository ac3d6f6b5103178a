"""Steps in which nothing at all was received: our own absence, which says nothing about others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from anomaly.arrivals import ArrivalLog
from collectors.errors import QueryError, StorageError
from collectors.stacklang.lines.database import Aggregate, Consolidation, Database, Fetch, Window
from collectors.stacklang.predicates.predicate import And, In, Not, Query, Regex

# What we say of ourselves is received even when nobody else can be heard.
_OTHERS: Query = Not(Regex("name", "tocsin\\."))


class Blindness:
    """Knows how far anybody else was heard, and when nobody was.

    Args:
        database: Where the numbers are.
        log: Knows when they came; None: nobody is ever blind.
    """

    def __init__(self, database: Database, log: ArrivalLog | None) -> None:
        self._database = database
        self._log = log
        self._known: dict[Window, NDArray[np.bool_]] = {}
        self._others = _OTHERS
        self.heard_ms = 0

    def leave_out(self, names: Iterable[str]) -> None:
        """Take series of these names for our own: what rules here write says nothing of others."""
        own = sorted(names)
        self._others = And(_OTHERS, Not(In("name", tuple(own)))) if own else _OTHERS
        self._known.clear()

    def look(self) -> None:
        """Find out how far anybody was heard now; what was known before may have changed."""
        self._known.clear()
        if self._log is not None:
            newest = Window.single(self._database.step_ms, self._database.step_ms)
            self.heard_ms = self._log.newest_ms(self._everything(newest))

    def over(self, window: Window) -> NDArray[np.bool_]:
        """Return in which steps of ``window`` nothing was received, shape (steps,)."""
        known = self._known.get(window)
        if known is None:
            known = self._known[window] = self._count(window)
        return known

    def _count(self, window: Window) -> NDArray[np.bool_]:
        try:
            counts = self._database.fetch(self._everything(window)).values
        except (QueryError, StorageError):
            return np.zeros(window.steps, dtype=np.bool_)  # not known is not blind
        return np.asarray(~(counts > 0).any(axis=0), dtype=np.bool_)

    def _everything(self, window: Window) -> Fetch:
        return Fetch(
            query=self._others,
            aggregate=Aggregate.COUNT,
            consolidation=Consolidation.AVG,
            window=window,
        )
