"""Data expressions: which series to fetch, and how to make lines of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from collectors.model import Tags
from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.database import Aggregate, Consolidation
from collectors.stacklang.lines.line_set import LineSet, key_string
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.text.durations import ZERO, Duration

DEFAULT_CONSOLIDATION = {
    Aggregate.SUM: Consolidation.AVG,
    Aggregate.COUNT: Consolidation.AVG,
    Aggregate.MIN: Consolidation.MIN,
    Aggregate.MAX: Consolidation.MAX,
    Aggregate.ALL: Consolidation.SUM,
}


class DataExpr(SeriesExpr):
    """Base of the expressions that fetch."""

    __slots__ = ()

    query: Query

    @property
    def offset(self) -> Duration:
        """How far back the data lie."""
        raise NotImplementedError

    @property
    def aggregate(self) -> Aggregate:
        """How series become lines."""
        raise NotImplementedError

    @property
    def consolidation(self) -> Consolidation:
        """How base steps of one series become one output step."""
        raise NotImplementedError

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """This expression."""
        return (self,)

    @property
    def is_grouped(self) -> bool:
        """A single line, unless overridden."""
        return False

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """No grouping, unless overridden."""
        return ()

    def group_by_key(self, tags: Tags) -> str | None:
        """Return None: there are no groups, unless overridden."""
        del tags
        return None

    def program(self) -> Iterable[object]:
        """Return what is rendered before the offset."""
        raise NotImplementedError

    def parts(self) -> Iterable[object]:
        """Return the program and the offset, if any."""
        if not self.offset:
            return self.program()
        return (*self.program(), self.offset, Raw(":offset"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines fetched for this expression."""
        return scope.once(self, lambda: scope.source.lines(self, scope.window))


@dataclass(frozen=True, slots=True)
class AllSeries(DataExpr):
    """Every series that matches (``:all``)."""

    query: Query
    shift: Duration = ZERO

    @property
    def offset(self) -> Duration:
        """How far back the data lie."""
        return self.shift

    @property
    def aggregate(self) -> Aggregate:
        """All."""
        return Aggregate.ALL

    @property
    def consolidation(self) -> Consolidation:
        """Sum."""
        return Consolidation.SUM

    def program(self) -> Iterable[object]:
        """Return query and word."""
        return (self.query, Raw(":all"))

    def with_offset(self, offset: Duration) -> AllSeries:
        """Return this expression shifted by ``offset``."""
        return replace(self, shift=offset)


@dataclass(frozen=True, slots=True)
class AggregateExpr(DataExpr):
    """One line over all series that match (``:sum``, ``:count``, ``:min``, ``:max``).

    ``consolidate`` is None for the aggregate's default.
    """

    query: Query
    function: Aggregate = Aggregate.SUM
    consolidate: Consolidation | None = None
    shift: Duration = ZERO

    @property
    def offset(self) -> Duration:
        """How far back the data lie."""
        return self.shift

    @property
    def aggregate(self) -> Aggregate:
        """The aggregate function."""
        return self.function

    @property
    def consolidation(self) -> Consolidation:
        """The consolidation asked for, or the aggregate's default."""
        return self.consolidate or DEFAULT_CONSOLIDATION[self.function]

    def program(self) -> Iterable[object]:
        """Return query, word, and the consolidation word if it is not the default."""
        base = (self.query, Raw(f":{self.function}"))
        if self.consolidate is None:
            return base
        return (*base, Raw(f":cf-{self.consolidate}"))

    def with_offset(self, offset: Duration) -> AggregateExpr:
        """Return this expression shifted by ``offset``."""
        return replace(self, shift=offset)

    def with_consolidation(self, consolidation: Consolidation) -> AggregateExpr:
        """Return this expression with another consolidation function."""
        default = consolidation == DEFAULT_CONSOLIDATION[self.function]
        return replace(self, consolidate=None if default else consolidation)


@dataclass(frozen=True, slots=True)
class GroupedData(DataExpr):
    """One line for each combination of values of some keys (``:by``)."""

    source: AggregateExpr
    keys: tuple[str, ...]

    @property
    def query(self) -> Query:  # type: ignore[override] # derived here, a field elsewhere
        """The query of the aggregate."""
        return self.source.query

    @property
    def offset(self) -> Duration:
        """How far back the data lie."""
        return self.source.offset

    @property
    def aggregate(self) -> Aggregate:
        """The aggregate function within a group."""
        return self.source.aggregate

    @property
    def consolidation(self) -> Consolidation:
        """The consolidation within a group."""
        return self.source.consolidation

    @property
    def is_grouped(self) -> bool:
        """A line for each group."""
        return True

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The keys."""
        return self.keys

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group's label."""
        return key_string(self.keys, tags)

    def unlabelled(self, scope: Scope) -> LineSet:
        """Return the lines in any order, without labels."""
        known = scope.results.get(self)
        if known is not None:
            return known
        return scope.once((self, None), lambda: scope.source.unlabelled(self, scope.window))

    def program(self) -> Iterable[object]:
        """Return the aggregate, the keys and the word."""
        return (*self.source.program(), self.keys, Raw(":by"))

    def with_offset(self, offset: Duration) -> GroupedData:
        """Return this expression shifted by ``offset``."""
        return replace(self, source=self.source.with_offset(offset))


def as_sum(query: Query) -> AggregateExpr:
    """Return what a bare query means: the sum of what it matches."""
    return AggregateExpr(query, Aggregate.SUM)
