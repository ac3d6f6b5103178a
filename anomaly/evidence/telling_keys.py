"""Which tag keys may set a part of an expression apart: those of the series that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anomaly.evidence.setting_apart import OUTCOMES
from anomaly.evidence.tag_scan import MAX_CELLS
from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.predicates.analysis import all_keys
from collectors.stacklang.predicates.predicate import Query
from collectors.tag_counts import TagCounts

MAX_KEYS_COMBINED = 6
"""Keys that are combined: with each, combinations multiply."""

MAX_VALUES_A_KEY = 100
"""Values of a key; what has more names single requests or people."""

_MAX_COUNTED = 20_000
# How a value was made of many is no property of what was measured.
_LEFT_OUT = frozenset({"name", "statistic", "percentile", "atlas.dstype", "le", "quantile"})


class SeriesCounter(Protocol):
    """What is needed of the metric store."""

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag, over ``most`` of them."""
        ...


def telling_keys(expressions: Sequence[str], counter: SeriesCounter) -> tuple[str, ...]:
    """Return keys by which to combine the series of ``expressions``, in alphabetical order.

    Left out are keys that an expression itself selects by, which say what it counts, those that
    say how something ended, and those with one value or with very many.

    Raises:
        QueryError: An expression is wrong.
    """
    queries = {
        data.query
        for text in expressions
        for style in parse(text)
        for data in style.expr.data_exprs
    }
    chosen = _LEFT_OUT.union(*(all_keys(query) for query in queries))
    found: dict[str, set[str]] = {}
    for query in queries:
        for key, values in counter.tag_counts(query, _MAX_COUNTED).tags.items():
            if key not in chosen and not key.startswith(OUTCOMES):
                found.setdefault(key, set()).update(values)
    few = [key for key, values in found.items() if 1 < len(values) <= MAX_VALUES_A_KEY]
    # Few values first: what has them is a kind of things, and combinations stay few.
    few.sort(key=lambda key: (len(found[key]), key))
    kept: list[str] = []
    cells = 1
    for key in few[:MAX_KEYS_COMBINED]:
        cells *= len(found[key])
        if cells <= MAX_CELLS:
            kept.append(key)
    return tuple(sorted(kept))
