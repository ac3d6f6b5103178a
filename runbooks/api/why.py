"""Why somebody is told or not: ``GET /api/v2/alerts/why`` and ``GET /api/v2/routes/test``."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.api.parameters import Parameters
from collectors.errors import InputError
from runbooks.api.answering import guarded
from runbooks.api.rfc3339 import moment_ms, rfc3339
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.explaining import Step, simulated, why
from runbooks.incidents.states import Severity


def why_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over ``desk``."""

    async def of_one(request: Request) -> Response:
        name = Parameters.of(request).required("id")
        steps = await run_in_threadpool(why, desk, name)
        return JSONResponse({"id": name, "path": [step_view(step) for step in steps]})

    async def test(request: Request) -> Response:
        asked = Parameters.of(request)
        at_ms = moment_ms(asked.text("at"), "at")
        at_ms = desk.clock.now_ms() if at_ms is None else at_ms
        labels = dict(map(_label, asked.all("label")))
        severity = _severity(asked.text("severity"))
        steps = await run_in_threadpool(simulated, desk, labels, severity, at_ms)
        return JSONResponse(
            {
                "at": rfc3339(at_ms),
                "tells": not any(step.stops for step in steps),
                "path": [step_view(step) for step in steps],
            }
        )

    return [
        Route("/api/v2/alerts/why", guarded(of_one), methods=["GET"]),
        Route("/api/v2/routes/test", guarded(test), methods=["GET"]),
    ]


def step_view(step: Step) -> Json:
    """Return one stage of a path."""
    return {
        "stage": step.sort.value,
        "text": step.text,
        "stops": step.stops,
        "time_ms": step.time_ms,
    }


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError(f"label {text[:80]!r} must be name=value")
    return name, value


def _severity(text: str | None) -> Severity | None:
    if not text:
        return None
    try:
        return Severity(text.upper())
    except ValueError:
        raise InputError(f"severity {text[:20]!r} is none of {', '.join(Severity)}") from None
