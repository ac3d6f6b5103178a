"""Which of many standing predicates match a series, without asking each of them.

Every predicate is split into conjunctions. One clause of a conjunction, an exact value if there is
one, decides where it is filed; a series looks only into the drawers that its own tags open. The
cost of a series thus follows the predicates that could match it, not all there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collectors.errors import QueryError
from collectors.model import Tags
from collectors.stacklang.predicates.algebra import cnf_list, dnf_list, simplify
from collectors.stacklang.predicates.predicate import (
    Equal,
    HasKey,
    In,
    KeyPredicate,
    Not,
    Query,
    Regex,
)

_MAX_FILED_VALUES = 32
# Nearly every series has these, so that almost any other key tells more.
_COMMON_KEYS = frozenset({"statistic", "atlas.dstype"})


class PredicateIndex:
    """Standing predicates, found by the tags of a series.

    >>> from collectors.stacklang.predicates.predicate import AnyOf
    >>> index = PredicateIndex([Equal("name", "sps"), HasKey("zone"), AnyOf()])
    >>> index.matching({"name": "sps"})
    [0, 2]
    """

    def __init__(self, queries: Sequence[Query]) -> None:
        self._queries: list[Query] = []
        self._by_value: dict[tuple[str, str], list[int]] = {}
        self._by_key: dict[str, list[int]] = {}
        self._rest: list[int] = []
        for query in queries:
            self.add(query)

    def __len__(self) -> int:
        return len(self._queries)

    def add(self, query: Query) -> int:
        """File one more predicate; return its position."""
        position = len(self._queries)
        self._queries.append(query)
        self._file(position, query)
        return position

    def matching(self, tags: Tags) -> list[int]:
        """Return the positions of the predicates that match, ascending."""
        found = {
            position
            for position in self.candidates_of(tags.items())
            if self._queries[position].matches(tags)
        }
        return sorted(found)

    def candidates_of(self, pairs: Iterable[tuple[str, str]]) -> set[int]:
        """Return the positions of all predicates that series made of these tags could match.

        Args:
            pairs: Keys and values, those of one series or of many together.
        """
        found, keys = set(self._rest), set()
        for key, value in pairs:
            found.update(self._by_value.get((key, value), ()))
            keys.add(key)
        for key in keys:
            found.update(self._by_key.get(key, ()))
        return found

    def candidates(self, tags: Tags) -> int:
        """Return how many predicates have to be asked about a series; for tests of the index."""
        return len(self.candidates_of(tags.items()))

    def _file(self, position: int, query: Query) -> None:
        try:
            conjunctions = dnf_list(simplify(query))
        except QueryError:
            # Too large to split: it is asked about every series.
            self._rest.append(position)
            return
        for conjunction in conjunctions:
            self._file_one(position, cnf_list(conjunction))

    def _file_one(self, position: int, clauses: Iterable[Query]) -> None:
        best = min(clauses, key=self._selectivity)
        match best:
            case Equal(key, value):
                _append(self._by_value.setdefault((key, value), []), position)
            case In(key, values) if len(values) <= _MAX_FILED_VALUES:
                for value in values:
                    _append(self._by_value.setdefault((key, value), []), position)
            case KeyPredicate():
                _append(self._by_key.setdefault(best.key, []), position)
            case _:
                _append(self._rest, position)

    def _selectivity(self, clause: Query) -> tuple[int, int, int]:
        """Return how little a clause lets through, best first; among equals the emptiest drawer."""
        match clause:
            case Equal(key, value):
                filed = len(self._by_value.get((key, value), ()))
                return (1 if key in _COMMON_KEYS else 0, filed, 0 if key == "name" else 1)
            case In(_, values) if len(values) <= _MAX_FILED_VALUES:
                return (2, len(values), 0)
            case Regex():
                return (3, 0, 0)
            case HasKey():
                return (5, 0, 0)
            case KeyPredicate():
                return (4, 0, 0)
            case Not():
                return (7, 0, 0)
            case _:
                return (6, 0, 0)


def _append(drawer: list[int], position: int) -> None:
    if not drawer or drawer[-1] != position:
        drawer.append(position)
