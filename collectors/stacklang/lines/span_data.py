"""How a request for data says that it is about spans and not about series.

A predicate names what is asked of the spans; the rest of the query says of which. Whatever makes of
a query (grouping, offsets, larger steps, standing evaluation) works on spans as on series, then.
"""

from __future__ import annotations

from collectors.stacklang.predicates.analysis import exact_tags
from collectors.stacklang.predicates.predicate import And, AnyOf, Equal, Query

SPANS_KEY = "tocsin.spans"

COUNT = "count"
"""Spans in the step; 0 where there are spans of the service and operation but none matches."""
RATE = "rate"
"""The same a second."""
SEEN = "seen"
"""Spans a second; nothing where there are none."""
ERRORS = "errors"
"""Failed spans a second."""
TIME = "time"
"""Seconds that spans took, a second."""
PERCENTILE = "p"
"""With a number: a percentile of the durations, seconds."""


def of_spans(query: Query, wanted: str) -> Query:
    """Return a query for ``wanted`` of the spans that match."""
    marked = Equal(SPANS_KEY, wanted)
    return marked if isinstance(query, AnyOf) else And(marked, query)


def wanted_of_spans(query: Query) -> str | None:
    """Return what is asked of spans; None where series are meant."""
    return exact_tags(query).get(SPANS_KEY)
