"""HTTP: ``/api/v2/health/services``: how every service is, and one of them with all its parts."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from anomaly.engine.engine import Engine
from anomaly.health.rule import HealthRule
from anomaly.rules.rule import Row
from collectors.api.pages import PageRequest, Place, page_of
from collectors.errors import InputError

PATH = "/api/v2/health/services"
COLOURS = ("red", "yellow", "green", "grey")
_PARTS = ("regions", "operations", "calls", "called_by")


def health_routes(engine: Engine) -> list[Route]:
    """Return the routes that show the learned health of services."""

    async def services(request: Request) -> JSONResponse:
        colour = request.query_params.get("health", "")
        if colour and colour not in COLOURS:
            return _refused(400, f"health must be one of {', '.join(COLOURS)}, got {colour[:50]!r}")
        try:
            wanted = PageRequest.of(request)
        except InputError as error:
            return _refused(error.status, error.message)
        return await run_in_threadpool(_listed, engine, colour, wanted)

    async def service(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        for row in await run_in_threadpool(engine.rows, HealthRule.kind):
            if row["service"] == name:
                return JSONResponse(row)
        told = "neither spans nor metrics of requests have named it since the server knows"
        return _refused(404, f"no service {name[:200]!r}: {told}")

    return [Route(PATH, services), Route(f"{PATH}/{{name:path}}", service)]


def _listed(engine: Engine, colour: str, wanted: PageRequest) -> JSONResponse:
    rows = engine.rows(HealthRule.kind)
    found_by = {one: sum(row["health"] == one for row in rows) for one in COLOURS}
    chosen = [row for row in rows if not colour or row["health"] == colour]
    found = page_of(chosen, _place, wanted)
    return JSONResponse(
        {
            "services": [_summary(row) for row in found.rows],
            "by_health": found_by,
            "left_out": max((row["left_out"] for row in rows), default=0),
            "total": found.total,
            "next_cursor": found.next_cursor,
        }
    )


def _place(row: Row) -> Place:
    return COLOURS.index(row["health"]), row["service"]


def _summary(row: Row) -> Row:
    return {key: value for key, value in row.items() if key not in _PARTS}


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"type": "error", "message": message}, status_code=status)
