"""The endpoints of collectors as an application of their own, for tests and for embedding."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from collectors.api.answers import error_body, json_response
from collectors.api.queries import query_routes
from collectors.api.reading import MetricReader
from collectors.api.routes import backend_routes, metric_routes, trace_routes
from collectors.api.traces import SpanReader
from collectors.api.work.workers import Workers
from collectors.clock import Clock


def api_app(
    store: MetricReader,
    span_store: SpanReader | None,
    clock: Clock,
    extra_routes: Sequence[BaseRoute] = (),
    workers: Workers | None = None,
) -> Starlette:
    """Return an application with every endpoint.

    Args:
        store: Where graphs and tags come from.
        span_store: Where traces come from; None leaves their endpoints out.
        clock: What ``now`` means.
        extra_routes: Endpoints of other rooms.
        workers: Threads to answer in; own ones if None.
    """
    workers = workers or Workers()
    traces = (
        []
        if span_store is None
        else [*trace_routes(span_store, workers), *backend_routes(span_store, clock, workers)]
    )
    return Starlette(
        routes=[
            *metric_routes(store, clock, workers),
            *traces,
            *query_routes(workers.queries),
            *extra_routes,
        ],
        exception_handlers={HTTPException: not_served},
    )


async def not_served(request: Request, error: Exception) -> Response:
    """Answer unknown paths and methods in Atlas's form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    reason = {
        404: f"NoSuchElementException: no such path: {request.url.path[:200]}",
        405: f"UnsupportedOperationException: {request.method} is not possible here",
    }.get(status, f"HttpException: status {status}")
    headers = error.headers if isinstance(error, HTTPException) else None
    return json_response(error_body(reason), status=status, headers=headers)
