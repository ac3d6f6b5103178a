"""What the endpoints need of the stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collectors.stacklang.lines.database import Database
from collectors.stacklang.predicates.predicate import Query


class MetricReader(Database, Protocol):
    """A database that also knows which tags its series have."""

    def keys(self, query: Query) -> Sequence[str]:
        """Return the tag keys of the series that match."""
        ...

    def values(
        self, key: str, query: Query, after: str = "", most: int | None = None
    ) -> Sequence[str]:
        """Return the values of ``key`` among the series that match, sorted.

        Only those beyond ``after``, and at most ``most`` of them.
        """
        ...
