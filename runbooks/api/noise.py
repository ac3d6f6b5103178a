"""``/api/v2/noise``: findings that people called noise, and how that changed their rules."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from anomaly.findings import Finding
from collectors.errors import NotFoundError
from runbooks.alerts.noise import MAX_REASON
from runbooks.api.answering import guarded
from runbooks.api.bodies import actor_of, form_of, text_in
from runbooks.desk.desk import IncidentDesk

DAY_MS = 86_400_000
MAX_FINDING_ID = 300


def noise_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over what ``desk`` knows of noise."""
    noise = desk.alerting.noise

    async def listed(request: Request) -> Response:
        del request
        return JSONResponse({"marks": [asdict(mark) for mark in noise.all()]})

    async def mark(request: Request) -> Response:
        form = await form_of(request, ("finding", "reason", "actor"))
        name = text_in(form, "finding", MAX_FINDING_ID, required=True)
        reason = text_in(form, "reason", MAX_REASON, required=True)
        actor = actor_of(request, form)
        finding = await run_in_threadpool(_finding, desk, name)
        made = await run_in_threadpool(noise.mark, finding, reason, actor)
        return JSONResponse(asdict(made))

    async def withdraw(request: Request) -> Response:
        by = request.scope.get("actor", "") or "whoever reached the port"
        made = await run_in_threadpool(noise.withdraw, request.path_params["id"], by)
        return JSONResponse(asdict(made))

    return [
        Route("/api/v2/noise", guarded(listed), methods=["GET"]),
        Route("/api/v2/noise", guarded(mark), methods=["POST"]),
        Route("/api/v2/noise/{id}", guarded(withdraw), methods=["DELETE"]),
    ]


def _finding(desk: IncidentDesk, name: str) -> Finding:
    """Return a finding that fires, or that an incident has, or that was decided about lately."""
    firing = desk.intake.firing.get(name)
    if firing is not None:
        return firing
    for incident in desk.ledger.incidents():
        if name in incident.findings:
            return incident.findings[name]
    lately = desk.decisions.findings_since(desk.clock.now_ms() - DAY_MS)
    found = next((finding for finding in lately if finding.id == name), None)
    if found is None:
        raise NotFoundError(f"there is no finding {name[:80]!r}; see `tocsin alerts list`")
    return found
