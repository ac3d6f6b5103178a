"""Expressions over single events rather than series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collectors.stacklang.expression import Expr, Raw
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.text.faults import require


@dataclass(frozen=True, slots=True)
class RawEvents(Expr):
    """Events as they are; what a bare query means."""

    query: Query

    def parts(self) -> Iterable[object]:
        """Return the query."""
        return (self.query,)


@dataclass(frozen=True, slots=True)
class EventTable(Expr):
    """A row of some columns for each event (``:table``)."""

    query: Query
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        require(len(self.columns) > 0, "set of columns cannot be empty")

    def parts(self) -> Iterable[object]:
        """Return query, columns and word."""
        return (self.query, self.columns, Raw(":table"))


@dataclass(frozen=True, slots=True)
class EventSample(Expr):
    """A count and an example for each combination of values of some keys (``:sample``)."""

    query: Query
    sample_by: tuple[str, ...]
    projection: tuple[str, ...]

    def __post_init__(self) -> None:
        require(len(self.sample_by) > 0, "sampleBy cannot be empty")

    def parts(self) -> Iterable[object]:
        """Return query, keys, projection and word."""
        return (self.query, self.sample_by, self.projection, Raw(":sample"))
