"""``/api/v2/heartbeats``: what must report, and its reports."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.api.answering import guarded
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.heartbeats.watch import Watched

_PATH = "/api/v2/heartbeats"


def heartbeat_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over ``desk``."""
    watch = desk.on_call.heartbeats

    async def listed(request: Request) -> Response:
        del request
        found = await run_in_threadpool(watch.watched, desk.clock.now_ms())
        return JSONResponse({"heartbeats": [_row(one) for one in found]})

    async def reported(request: Request) -> Response:
        name = request.path_params["name"]
        seen = await run_in_threadpool(watch.beat, name)
        return JSONResponse({"name": name, "last_ms": seen.last_ms, "beats": seen.beats})

    return [
        Route(_PATH, guarded(listed), methods=["GET"]),
        Route(f"{_PATH}/{{name}}", guarded(reported), methods=["POST"]),
    ]


def _row(one: Watched) -> Json:
    return {
        "name": one.beat.name,
        "title": one.beat.title,
        "state": one.pulse.value,
        "interval_s": one.beat.interval_ms / 1_000,
        "grace_s": one.beat.grace_ms / 1_000,
        "urgency": one.beat.urgency.value,
        "scope": dict(one.beat.scope),
        "last_ms": one.seen.last_ms,
        "beats": one.seen.beats,
        "missing_ms": one.seen.missing_ms,
    }
