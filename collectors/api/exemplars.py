"""From a measured value to its trace, and back with ``trace``: ``/api/v2/exemplars``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.tags import parse_one_query
from collectors.api.traces import MAX_TIME_MS
from collectors.api.tracing.reading import read_trace_id
from collectors.stacklang.predicates.predicate import AnyOf, Query
from collectors.traces.exemplars import TracedValue

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000


class ExemplarReader(Protocol):
    """What the endpoint needs of the exemplar store."""

    def find(
        self,
        query: Query,
        start_ms: int,
        end_ms: int,
        limit: int = DEFAULT_LIMIT,
        *,
        trace_id: str = "",
    ) -> Sequence[TracedValue]:
        """Return exemplars of series that match, newest first; both times are inclusive.

        With ``trace_id`` only those that point to this trace.
        """
        ...


def exemplars_answer(exemplars: ExemplarReader) -> Callable[[Request], Response]:
    """Return the answer to ``/api/v2/exemplars``."""

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        program = parameters.text("q")
        query = AnyOf() if program is None else parse_one_query(program)
        start_ms = parameters.integer("start_ms", 0, low=0, high=MAX_TIME_MS)
        end_ms = parameters.integer("end_ms", MAX_TIME_MS, low=0, high=MAX_TIME_MS)
        if end_ms < start_ms:
            raise refuse(f"end_ms {end_ms} is before start_ms {start_ms}")
        limit = parameters.integer("limit", DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
        given = parameters.text("trace")
        trace_id = read_trace_id(given) if given else ""
        found = exemplars.find(query, start_ms, end_ms, limit, trace_id=trace_id)
        return json_response({"exemplars": [_traced(value) for value in found]})

    return answer


def _traced(value: TracedValue) -> dict[str, object]:
    return {
        "tags": dict(value.tags),
        "value": value.value,
        "time_ms": value.time_ms,
        "trace_id": value.trace_id,
        "span_id": value.span_id,
    }
