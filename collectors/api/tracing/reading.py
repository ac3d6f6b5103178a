"""What the APIs of other tracing backends need of the span store; ids and tags as given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Protocol

from collectors.api.parameters import refuse
from collectors.traces.held_trace import TraceSpans
from collectors.traces.query.columns import SpanBlock
from collectors.traces.search import TraceSearch, TraceSummary
from collectors.traces.service_map import ServiceEdge
from collectors.traces.traceql.parser import MAX_TRACEQL_TERMS
from collectors.traces.traceql.query import Always, And, Condition, Filter, Query

_TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}\Z")


class TraceReader(Protocol):
    """Something that has spans, such as the span store."""

    def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
        """Return matching traces, newest first."""
        ...

    def read(self, trace_id: str) -> TraceSpans:
        """Return a trace, without spans if there is no such trace."""
        ...

    def services(self) -> Sequence[str]:
        """Return the names of all services."""
        ...

    def edges(self, start_ms: int, end_ms: int) -> Sequence[ServiceEdge]:
        """Return who called whom between two times."""
        ...

    def blocks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[SpanBlock]:
        """Yield what memory holds of the minutes between two times, newest first."""
        ...


def query_of(conditions: Sequence[Condition], text: str = "") -> Query:
    """Return the query for a span that meets all of some conditions; none: for every span."""
    if len(conditions) > MAX_TRACEQL_TERMS:
        raise refuse(f"a search has at most {MAX_TRACEQL_TERMS} tags, this one {len(conditions)}")
    return Query(text, Filter(reduce(And, conditions) if conditions else Always()))


def read_trace_id(given: str) -> str:
    """Return a trace id in full; refuse what is none."""
    if not _TRACE_ID.match(given):
        raise refuse(f"trace id must be up to 32 hex digits, got '{given[:80]}'")
    return given.lower().zfill(32)
