"""Every endpoint of collectors, as routes for whoever composes the server."""

from __future__ import annotations

from starlette.routing import Route

from collectors.api.answers import answering
from collectors.api.comparing import compare_answer
from collectors.api.exemplars import ExemplarReader, exemplars_answer
from collectors.api.expressions import EXPRESSION_ANSWERS
from collectors.api.fetching import FetchEndpoint
from collectors.api.graph import graph_answer
from collectors.api.metrics import TagCounter, UnitReader, metric_tags_answer, metrics_answer
from collectors.api.reading import MetricReader
from collectors.api.tags import tags_answer
from collectors.api.traces import SpanReader, search_answer, services_answer, trace_answer
from collectors.api.tracing.jaeger import jaeger_answers, jaeger_failure
from collectors.api.tracing.reading import TraceReader
from collectors.api.tracing.tempo import tempo_answers, tempo_failure
from collectors.api.work.workers import Workers
from collectors.clock import Clock


def metric_routes(store: MetricReader, clock: Clock, workers: Workers | None = None) -> list[Route]:
    """Return the graph, fetch, tags and expression endpoints over ``store``.

    Args:
        store: Where lines and tags come from.
        clock: What ``now`` means.
        workers: Threads to evaluate in; own ones if None.
    """
    workers = workers or Workers()
    fetch = FetchEndpoint(store, clock, workers)
    tags = answering(tags_answer(store), workers)
    expressions = [
        Route(f"/api/v1/expr{path}", answering(answer, workers), methods=["GET"])
        for path, answer in EXPRESSION_ANSWERS.items()
    ]
    return [
        *expressions,
        Route("/api/v1/graph", answering(graph_answer(store, clock), workers), methods=["GET"]),
        Route("/api/v2/fetch", fetch.answer, methods=["GET"]),
        Route("/api/v1/tags", tags, methods=["GET"]),
        Route("/api/v1/tags/", tags, methods=["GET"]),
        Route("/api/v1/tags/{key:path}", tags, methods=["GET"]),
    ]


def trace_routes(spans: SpanReader, workers: Workers | None = None) -> list[Route]:
    """Return trace search, comparison, trace by id and the service map over ``spans``."""
    workers = workers or Workers()
    answers = {
        "/api/v2/traces": search_answer(spans),
        "/api/v2/traces/compare": compare_answer(spans),
        "/api/v2/traces/{trace_id}": trace_answer(spans),
        "/api/v2/services": services_answer(spans),
    }
    return [
        Route(path, answering(answer, workers), methods=["GET"]) for path, answer in answers.items()
    ]


def backend_routes(spans: TraceReader, clock: Clock, workers: Workers | None = None) -> list[Route]:
    """Return Jaeger's and Tempo's APIs over ``spans``."""
    workers = workers or Workers()
    parts = (
        (jaeger_answers(spans, clock), jaeger_failure),
        (tempo_answers(spans), tempo_failure),
    )
    return [
        Route(path, answering(answer, workers, failed), methods=["GET"])
        for answers, failed in parts
        for path, answer in answers.items()
    ]


def exemplar_routes(exemplars: ExemplarReader, workers: Workers | None = None) -> list[Route]:
    """Return the search for exemplars over ``exemplars``."""
    answer = answering(exemplars_answer(exemplars), workers or Workers())
    return [Route("/api/v2/exemplars", answer, methods=["GET"])]


def catalogue_routes(
    counter: TagCounter, units: UnitReader, workers: Workers | None = None
) -> list[Route]:
    """Return the list of metrics and the tags of their series, counted."""
    workers = workers or Workers()
    answers = {
        "/api/v2/metrics": metrics_answer(counter, units),
        "/api/v2/metric-tags": metric_tags_answer(counter, units),
    }
    return [
        Route(path, answering(answer, workers), methods=["GET"]) for path, answer in answers.items()
    ]
