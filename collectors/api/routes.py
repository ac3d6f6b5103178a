"""Every endpoint of collectors, as routes for whoever composes the server."""

from __future__ import annotations

from starlette.routing import Route

from collectors.api.admission import Gate
from collectors.api.answers import answering
from collectors.api.expressions import EXPRESSION_ANSWERS
from collectors.api.fetching import FetchEndpoint
from collectors.api.graph import graph_answer
from collectors.api.reading import MetricReader
from collectors.api.tags import tags_answer
from collectors.api.traces import SpanReader, search_answer, services_answer, trace_answer
from collectors.clock import Clock


def metric_routes(store: MetricReader, clock: Clock) -> list[Route]:
    """Return the graph, fetch, tags and expression endpoints over ``store``."""
    gate = Gate()
    fetch = FetchEndpoint(store, clock, gate)
    tags = answering(tags_answer(store))
    expressions = [
        Route(f"/api/v1/expr{path}", answering(answer), methods=["GET"])
        for path, answer in EXPRESSION_ANSWERS.items()
    ]
    return [
        *expressions,
        Route("/api/v1/graph", answering(graph_answer(store, clock, gate)), methods=["GET"]),
        Route("/api/v2/fetch", fetch.answer, methods=["GET"]),
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
