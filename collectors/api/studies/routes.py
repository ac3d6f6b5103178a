"""The endpoints of this room, for whoever composes the server."""

from __future__ import annotations

from starlette.routing import Route

from collectors.api.answers import answering
from collectors.api.studies.heat import heat_answer
from collectors.api.studies.map_before import map_answer
from collectors.api.studies.paths import paths_answer
from collectors.api.studies.sessions import funnel_answer, session_answer, sessions_answer
from collectors.api.traces import SpanReader
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.traces.sessions.session import Wording


def study_routes(
    spans: SpanReader, clock: Clock, length: Wording, workers: Workers | None = None
) -> list[Route]:
    """Return what is asked of many traces together.

    Args:
        spans: The traces.
        clock: What is now.
        length: Words a length of time, seconds.
        workers: Where it is computed; own ones if None.
    """
    workers = workers or Workers()
    answers = {
        "/api/v2/critical-path": paths_answer(spans),
        "/api/v2/heat-map": heat_answer(spans, clock),
        "/api/v2/service-map": map_answer(spans, clock),
        "/api/v2/funnel": funnel_answer(spans),
        "/api/v2/sessions": sessions_answer(spans),
        "/api/v2/sessions/{value:path}": session_answer(spans, length),
    }
    return [
        Route(path, answering(answer, workers), methods=["GET"]) for path, answer in answers.items()
    ]
