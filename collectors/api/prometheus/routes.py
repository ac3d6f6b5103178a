"""Every path of Prometheus's API that is answered here, for whoever composes the server."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.answers import Endpoint, asked_of
from collectors.api.prometheus.exporting import MAX_READ_BYTES, federate_answer, read_samples
from collectors.api.prometheus.lookups import (
    ExemplarReader,
    exemplars_answer,
    labels_answer,
    metadata_answer,
    series_answer,
    values_answer,
)
from collectors.api.prometheus.posted import FORMS
from collectors.api.prometheus.queries import (
    format_answer,
    parse_answer,
    query_answer,
    range_answer,
)
from collectors.api.prometheus.reading import SampleStore, ServerFacts
from collectors.api.prometheus.replies import answering, failure
from collectors.api.prometheus.status import status_answers
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.errors import TocsinError
from collectors.receivers.body import request_body


def prometheus_routes(
    store: SampleStore,
    clock: Clock,
    workers: Workers,
    exemplars: ExemplarReader | None = None,
    facts: ServerFacts | None = None,
) -> list[Route]:
    """Return the routes.

    Args:
        store: What is asked.
        clock: What ``now`` means.
        workers: Where queries run, with those of the other language.
        exemplars: Where exemplars come from.
        facts: What ``status`` tells.
    """
    answers = {
        "query": query_answer(store, clock),
        "query_range": range_answer(store),
        "format_query": format_answer,
        "parse_query": parse_answer,
        "series": series_answer(store),
        "labels": labels_answer(store),
        "label/{name}/values": values_answer(store),
        "metadata": metadata_answer(store),
        "query_exemplars": exemplars_answer(store, exemplars),
        **status_answers(store, facts or ServerFacts(), clock),
    }
    return [
        *(
            Route(
                f"/api/v1/{path}",
                answering(answer, workers),
                methods=["GET", "POST"] if path in FORMS else ["GET"],
            )
            for path, answer in answers.items()
        ),
        Route("/federate", answering(federate_answer(store, clock), workers), methods=["GET"]),
        Route("/api/v1/read", _reading(store, workers), methods=["POST"]),
    ]


def _reading(store: SampleStore, workers: Workers) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request_body(request, MAX_READ_BYTES)
            content = await workers.run(partial(read_samples, store, body), asked_of(request))
        except TocsinError as error:
            return failure(error)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
        return Response(content, headers=headers)

    return endpoint
