"""What sets bad spans apart from their like: ``/api/v2/traces/compare``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.traces import SpanReader, read_search
from collectors.traces.reach.comparison import Compared, compared
from collectors.traces.reach.held import Looked

DEFAULT_DIFFERENCES = 10
MAX_DIFFERENCES = 100


def compare_answer(spans: SpanReader) -> Callable[[Request], Response]:
    """Return the answer to ``/api/v2/traces/compare``.

    The conditions are those of a trace search; ``limit`` bounds the differences. With ``box`` the
    spans within are held against all others that the other conditions mean. A lift without
    any good span is infinite and becomes null.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        limit = parameters.integer("limit", DEFAULT_DIFFERENCES, low=1, high=MAX_DIFFERENCES)
        wanted = read_search(parameters)
        durations = (wanted.min_duration_ms, wanted.max_duration_ms)
        plain = wanted.error is None and durations == (None, None) and not wanted.tags
        if plain and wanted.query is None and wanted.box is None:
            raise refuse(
                "nothing says which spans are the bad ones; give 'q', 'error', 'min_duration_ms', "
                "'max_duration_ms', 'tag' or 'box'"
            )
        return json_response(_told(compared(spans, wanted, limit)))

    return answer


def _told(found: Compared) -> dict[str, object]:
    comparison = found.comparison
    return {
        "bad_spans": round(comparison.bad_spans),
        "good_spans": round(comparison.good_spans),
        "bad_observed": comparison.bad_observed,
        "good_observed": comparison.good_observed,
        "left_out": found.left_out,
        **looked_told(found.looked),
        "differences": [
            {
                **asdict(one),
                "bad_count": round(one.bad_count),
                "good_count": round(one.good_count),
            }
            for one in comparison.differences
        ],
    }


def looked_told(looked: Looked) -> dict[str, object]:
    """Return how far a question went, as answers say it."""
    return {"looked_from_ms": looked.from_ms, "notes": list(looked.notes)}
