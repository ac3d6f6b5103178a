"""Who calls whom now and before: ``/api/v2/service-map``, an edge with both of its sides."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters
from collectors.api.studies.stretch import read_stretch
from collectors.api.traces import SpanReader
from collectors.clock import Clock
from collectors.traces.service_map import ServiceEdge

DEFAULT_LENGTH_MS = 600_000
DEFAULT_BEFORE_MS = 3_600_000
MAX_BEFORE_MS = 86_400_000


def map_answer(spans: SpanReader, clock: Clock) -> Callable[[Request], Response]:
    """Return the answer to the map between two times, the last ten minutes if not said.

    Each edge has what it was ``before_ms`` earlier, an hour if not said; null where it had no calls
    then. Where memory does not reach back so far, nothing is said of before: ``known_before`` is
    false.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        start_ms, end_ms = read_stretch(parameters, clock, DEFAULT_LENGTH_MS)
        back_ms = parameters.integer("before_ms", DEFAULT_BEFORE_MS, low=1, high=MAX_BEFORE_MS)
        whole_ms = spans.whole_from_ms()
        known = whole_ms is not None and whole_ms <= start_ms - back_ms
        earlier = spans.edges(start_ms - back_ms, end_ms - back_ms) if known else ()
        before = {(edge.client, edge.server): edge for edge in earlier}
        now = {(edge.client, edge.server): edge for edge in spans.edges(start_ms, end_ms)}
        seconds = (end_ms - start_ms) / 1_000
        return json_response(
            {
                "start_ms": start_ms,
                "end_ms": end_ms,
                "before_ms": back_ms,
                "known_before": known,
                "services": list(spans.services()),
                "edges": [
                    _edge(pair, now.get(pair), before.get(pair), seconds)
                    for pair in sorted(now.keys() | before.keys())
                ],
            }
        )

    return answer


def _edge(
    pair: tuple[str, str], now: ServiceEdge | None, before: ServiceEdge | None, seconds: float
) -> dict[str, object]:
    change = None
    if now is not None and before is not None:
        is_now, was = _measures(now, seconds), _measures(before, seconds)
        change = {key: is_now[key] - was[key] for key in is_now}
    return {
        "client": pair[0],
        "server": pair[1],
        "now": None if now is None else _measures(now, seconds),
        "before": None if before is None else _measures(before, seconds),
        "change": change,
    }


def _measures(edge: ServiceEdge, seconds: float) -> dict[str, float]:
    """Return calls a second, the share that failed, and durations as both sides saw them."""
    return {
        "rate": edge.calls / seconds,
        "error_ratio": edge.errors / edge.calls if edge.calls else 0.0,
        "observed_calls": edge.observed_calls,
        "client_p50_ms": edge.p50_ms,
        "client_p99_ms": edge.p99_ms,
        "server_p50_ms": edge.server_p50_ms,
        "server_p99_ms": edge.server_p99_ms,
    }
