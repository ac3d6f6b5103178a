"""What a source of lines needs to know of a data expression, whoever wrote the expression."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from collectors.stacklang.lines.database import Aggregate, Consolidation
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.text.durations import Duration


class DataRequest(Hashable, Protocol):
    """Which series to fetch, and how they become lines; equal requests have equal answers."""

    @property
    def query(self) -> Query:
        """Which series."""
        ...

    @property
    def offset(self) -> Duration:
        """How far back the data lie."""
        ...

    @property
    def aggregate(self) -> Aggregate:
        """How series become lines."""
        ...

    @property
    def consolidation(self) -> Consolidation:
        """How base steps of one series become one output step."""
        ...

    @property
    def is_grouped(self) -> bool:
        """Whether there is a line for each group rather than a single one."""
        ...

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The keys of the groups."""
        ...
