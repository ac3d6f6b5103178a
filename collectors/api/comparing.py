"""What sets bad spans apart from their like: ``/api/v2/traces/compare``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.traces import SpanReader, read_search

DEFAULT_DIFFERENCES = 10
MAX_DIFFERENCES = 100


def compare_answer(spans: SpanReader) -> Callable[[Request], Response]:
    """Return the answer to ``/api/v2/traces/compare``.

    The conditions are those of a trace search; ``limit`` bounds the differences. A lift without
    any good span is infinite and becomes null.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        limit = parameters.integer("limit", DEFAULT_DIFFERENCES, low=1, high=MAX_DIFFERENCES)
        wanted = read_search(parameters)
        durations = (wanted.min_duration_ms, wanted.max_duration_ms)
        plain = wanted.error is None and durations == (None, None) and not wanted.tags
        if plain and wanted.query is None:
            raise refuse(
                "nothing says which spans are the bad ones; give 'q', 'error', 'min_duration_ms', "
                "'max_duration_ms' or 'tag'"
            )
        return json_response(asdict(spans.compare(wanted, limit)))

    return answer
