"""What rules may know of their data besides the values: when they came, and from whom.

A database that knows is an :class:`ArrivalLog`; without one everything counts as come in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray
from collectors.stacklang.lines.database import Aggregate, Database, Fetch, Window
from collectors.stacklang.predicates.predicate import And, Equal, In, Query
from collectors.store.arrivals import Heard, News


class ArrivalLog(Protocol):
    """A database that knows when its series were last heard of."""

    def heard(self, request: Fetch) -> Heard:
        """Return when the series that ``request`` matches were last heard of."""
        ...

    def newest_ms(self, request: Fetch) -> int:
        """Return the end of the newest step in which any series that matches has a value, or 0."""
        ...

    def take_news(self) -> News:
        """Return what was written since the last call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """One request of an expression, when its series were last heard of, and a way to all values.

    Attributes:
        request: Which series; its window says nothing.
        heard: When these were last heard of.
        values: Returns the values of each of them over a window, shape (series, steps), in the
            order of ``heard.series``.
        named: Whether there is any series of a name that it asks for, whatever else it asks; true
            where it asks for no name.
    """

    request: Fetch
    heard: Heard
    values: Callable[[Window], FloatArray]
    named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What came for some steps.

    Attributes:
        window: The steps.
        blind: (steps,) in which of them nothing at all was received, by anybody.
        listened: Who sends the series behind an expression; one that is absent is not known of.
    """

    window: Window
    blind: NDArray[np.bool_]
    listened: Mapping[str, Sequence[Listened]] = field(default_factory=dict)

    @classmethod
    def everything(cls, window: Window) -> Arrived:
        """Return what is said of data of which nobody knows when they came."""
        return cls(window=window, blind=np.zeros(window.steps, dtype=np.bool_))


def listen(database: Database, log: ArrivalLog, request: Fetch) -> Listened:
    """Return when the series of ``request`` were last heard of."""
    heard = log.heard(request)

    def values(window: Window) -> FloatArray:
        apart = replace(request, aggregate=Aggregate.ALL, group_by=(), window=window)
        found = database.fetch(apart).values
        # A series may have come or gone meanwhile: then nobody can say which row is whose.
        known = len(found) == len(heard.series)
        return found if known else np.zeros((len(heard.series), window.steps))

    named = len(heard.series) > 0 or _is_named(log, request)
    return Listened(request=request, heard=heard, values=values, named=named)


def _is_named(log: ArrivalLog, request: Fetch) -> bool:
    names = _names(request.query)
    return names is None or len(log.heard(replace(request, query=names)).series) > 0


def _names(query: Query) -> Query | None:
    """Return the part of a query that asks for names; None: it asks for none in particular."""
    if isinstance(query, And):
        return _names(query.left) or _names(query.right)
    return query if isinstance(query, Equal | In) and query.key == "name" else None
