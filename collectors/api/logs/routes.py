"""The endpoints that read log records."""

from __future__ import annotations

from starlette.routing import Route

from collectors.api.answers import answering
from collectors.api.logs.answering import (
    histogram_answer,
    lines_answer,
    patterns_answer,
    services_answer,
)
from collectors.api.logs.tailing import TailEndpoint
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.logs.store import LogStore
from collectors.logs.tail import Tail


def log_routes(
    store: LogStore, tail: Tail, clock: Clock, workers: Workers | None = None
) -> list[Route]:
    """Return search, counts, overview and tail of ``store``.

    Args:
        store: Where lines are.
        tail: Where they pass by as they come.
        clock: What "until now" means.
        workers: Threads to answer in; own ones if None.
    """
    workers = workers or Workers()
    answers = {
        "/api/v1/logs": lines_answer(store),
        "/api/v1/logs/histogram": histogram_answer(store, clock),
        "/api/v1/logs/patterns": patterns_answer(store, clock),
        "/api/v1/logs/services": services_answer(store),
    }
    return [
        Route("/api/v1/logs/tail", TailEndpoint(tail).answer, methods=["GET"]),
        *(
            Route(path, answering(answer, workers), methods=["GET"])
            for path, answer in answers.items()
        ),
    ]
