"""Which metrics there are and which tags their series have: ``/api/v2/metrics``, ``metric-tags``.

Atlas's ``/api/v1/tags`` lists names and does not count; these answers are for browsing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters
from collectors.api.tags import parse_one_query
from collectors.budget import look
from collectors.stacklang.predicates.predicate import AnyOf, Query
from collectors.tag_counts import TagCounts

NAME = "name"
DEFAULT_NAMES = 200
MAX_NAMES = 10_000
DEFAULT_VALUES = 20
MAX_VALUES = 1_000
# Counting takes some 2.5 µs a series of seven tags, a quarter of a second in all.
MAX_COUNTED = 100_000


class TagCounter(Protocol):
    """What the endpoints need of the metric store."""

    def value_counts(self, key: str, query: Query) -> Mapping[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        ...

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag, over ``most`` of them."""
        ...


class UnitReader(Protocol):
    """Who knows the units of metrics."""

    def unit(self, name: str) -> str:
        """Return the unit of a metric (UCUM), empty when it is not known."""
        ...


def metrics_answer(counter: TagCounter, units: UnitReader) -> Callable[[Request], Response]:
    """Return the answer to ``/api/v2/metrics``: names in order, with unit and number of series.

    Parameters: ``q`` (a query), ``prefix``, ``search`` (words that a name must hold, capital
    letters or not), ``limit``.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        counts = counter.value_counts(NAME, _query(parameters))
        prefix = parameters.text("prefix") or ""
        words = (parameters.text("search") or "").lower().split()
        names = sorted(
            name
            for name in counts
            if name.startswith(prefix) and all(word in name.lower() for word in words)
        )
        limit = parameters.integer("limit", DEFAULT_NAMES, low=1, high=MAX_NAMES)
        rows = [
            {"name": name, "unit": units.unit(name), "series": counts[name]}
            for name in names[:limit]
        ]
        return json_response({"metrics": rows, "left_out": len(names) - len(rows)})

    return answer


def metric_tags_answer(counter: TagCounter, units: UnitReader) -> Callable[[Request], Response]:
    """Return the answer to ``/api/v2/metric-tags``: keys, their values, series of each.

    Parameters: ``q`` (a query), ``limit`` (values a key, those of most series first). ``units``
    has the unit of each metric that matches; ``counted`` is less than ``series`` when there are
    too many series to count all of them.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        limit = parameters.integer("limit", DEFAULT_VALUES, low=1, high=MAX_VALUES)
        found = counter.tag_counts(_query(parameters), MAX_COUNTED)
        names = sorted(found.tags.get(NAME, {}))[:limit]
        return json_response(
            {
                "series": found.series,
                "counted": found.counted,
                "units": {name: units.unit(name) for name in names},
                "tags": [_key(key, found.tags[key], limit) for key in sorted(found.tags)],
            }
        )

    return answer


def _key(key: str, values: Mapping[str, int], limit: int) -> dict[str, object]:
    look()
    # Not sorted: that would hold the interpreter's lock while a hundred thousand are compared.
    most = heapq.nsmallest(limit, values.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "key": key,
        "values": len(values),
        "series": sum(values.values()),
        "top": [{"value": value, "series": series} for value, series in most],
    }


def _query(parameters: Parameters) -> Query:
    program = parameters.text("q")
    return AnyOf() if program is None else parse_one_query(program)
