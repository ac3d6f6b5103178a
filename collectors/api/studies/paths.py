"""What many traces wait for: ``/api/v2/critical-path``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters
from collectors.api.traces import SpanReader, read_search
from collectors.traces.search import NANOS_PER_MS
from collectors.traces.tree.paths import PathPart, paths_of

DEFAULT_PATHS = 200
MAX_PATHS = 1_000
MAX_PATH_PARTS = 500


def paths_answer(spans: SpanReader) -> Callable[[Request], Response]:
    """Return the answer to what the traces that a search finds wait for.

    The conditions are those of a trace search; ``limit`` bounds the traces, 200 by default.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        limit = parameters.integer("limit", DEFAULT_PATHS, low=1, high=MAX_PATHS)
        wanted = replace(read_search(parameters), limit=limit)
        ids = [found.trace_id for found in spans.search(wanted)]
        found = paths_of(spans.read(trace_id).spans for trace_id in ids)
        return json_response(
            {
                "traces": round(found.traces),
                "observed": found.observed,
                "limited": len(ids) == limit,
                "total_ms": found.total_ns / NANOS_PER_MS,
                "error_saved_ms": found.error_saved_ns / NANOS_PER_MS,
                "operations": [_part(part) for part in found.parts[:MAX_PATH_PARTS]],
            }
        )

    return answer


def _part(part: PathPart) -> dict[str, object]:
    return {
        "service": part.service,
        "name": part.name,
        "own_ms": part.own_ns / NANOS_PER_MS,
        "share": part.share,
        "traces": round(part.traces),
        "spans": round(part.spans),
        "failed_ms": part.failed_ns / NANOS_PER_MS,
        "slowest_trace": part.slowest_trace,
        "slowest_ms": part.slowest_ns / NANOS_PER_MS,
    }
