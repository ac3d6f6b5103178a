"""Every endpoint of collectors, as routes for whoever composes the server."""

from __future__ import annotations

from starlette.routing import Route

from collectors.api.answers import answering
from collectors.api.graph import graph_answer
from collectors.api.reading import MetricReader
from collectors.api.tags import tags_answer
from collectors.api.traces import SpanReader, search_answer, services_answer, trace_answer
from collectors.clock import Clock


def metric_routes(store: MetricReader, clock: Clock) -> list[Route]:
    """Return the graph and tags endpoints over ``store``."""
    tags = answering(tags_answer(store))
    return [
        Route("/api/v1/graph", answering(graph_answer(store, clock)), methods=["GET"]),
        Route("/api/v1/tags", tags, methods=["GET"]),
        Route("/api/v1/tags/", tags, methods=["GET"]),
        Route("/api/v1/tags/{key:path}", tags, methods=["GET"]),
    ]


def trace_routes(spans: SpanReader) -> list[Route]:
    """Return trace search, trace by id and the service map over ``spans``."""
    return [
        Route("/api/v2/traces", answering(search_answer(spans)), methods=["GET"]),
        Route("/api/v2/traces/{trace_id}", answering(trace_answer(spans)), methods=["GET"]),
        Route("/api/v2/services", answering(services_answer(spans)), methods=["GET"]),
    ]
