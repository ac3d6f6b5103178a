"""HTTP routes of the room: incidents, runbooks, decisions, post-mortems, Slack's interactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collectors.api.pages import PageRequest, page_of
from collectors.errors import InputError, StorageError, TocsinError
from collectors.receivers.body import request_body
from runbooks.api import oncall, views
from runbooks.api.commands import MAX_BODY_BYTES, parse_command
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers import slack_interactions
from runbooks.postmortem.language import warnings
from runbooks.postmortem.sections import blanks

Endpoint = Callable[[Request], Awaitable[Response]]
SLACK_INTERACTIONS = "/slack/interactions"


def runbooks_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over ``desk``."""
    api = _Api(desk)
    incident = "/api/v2/incidents/{id}"
    return [
        Route("/api/v2/incidents", _guarded(api.incidents), methods=["GET"]),
        Route(incident, _guarded(api.incident), methods=["GET"]),
        Route(f"{incident}/commands", _guarded(api.command), methods=["POST"]),
        Route(f"{incident}/post-mortem", _guarded(api.post_mortem), methods=["GET"]),
        Route("/api/v2/runbooks", _guarded(api.runbooks), methods=["GET"]),
        Route("/api/v2/finding-decisions", _guarded(api.decisions), methods=["GET"]),
        Route("/api/v2/oncall", _guarded(api.oncall), methods=["GET"]),
        Route("/api/v2/oncall/{name}.ics", _guarded(api.calendar), methods=["GET"]),
        Route(SLACK_INTERACTIONS, _guarded(api.interaction), methods=["POST"]),
    ]


class _Api:
    """The endpoints. Whatever takes the ledger's lock runs off the event loop.

    Args:
        desk: What answers.
    """

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    async def incidents(self, request: Request) -> Response:
        state = request.query_params.get("state", "open")
        if state not in {"open", "all"}:
            raise InputError(f"state {state[:50]!r} is none of open, all")
        return await run_in_threadpool(self._list, state == "all", PageRequest.of(request))

    async def incident(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._detail, request.path_params["id"]))

    async def command(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        # Before the body is read: whoever has the wrong incident is told of that first.
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        command = parse_command(
            await request_body(request, MAX_BODY_BYTES), request.scope.get("actor", "")
        )
        await run_in_threadpool(self._desk.execute, incident_id, command)
        return JSONResponse(await run_in_threadpool(self._detail, incident_id))

    async def post_mortem(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        form = request.query_params.get("format", "md")
        read = self._desk.post_mortems
        if form == "html":
            return HTMLResponse(await run_in_threadpool(read.html, incident_id))
        text = await run_in_threadpool(read.markdown, incident_id)
        if form == "md":
            return PlainTextResponse(text, media_type="text/markdown")
        if form == "json":
            found = [asdict(warned) for warned in warnings(text)]
            return JSONResponse({"blanks": blanks(text), "warnings": found, "markdown": text})
        raise InputError(f"format {form[:50]!r} is none of md, html, json")

    async def runbooks(self, request: Request) -> Response:
        del request
        library = self._desk.library.values()
        return JSONResponse({"runbooks": [views.document(runbook) for runbook in library]})

    async def decisions(self, request: Request) -> Response:
        del request
        return JSONResponse({"decisions": await run_in_threadpool(self._desk.decisions.latest)})

    async def oncall(self, request: Request) -> Response:
        days, now_ms = oncall.days_of(request), self._desk.clock.now_ms()
        return JSONResponse(await run_in_threadpool(oncall.rota, self._desk.duty, days, now_ms))

    async def calendar(self, request: Request) -> Response:
        days, now_ms = oncall.days_of(request), self._desk.clock.now_ms()
        name = request.path_params["name"]
        text = await run_in_threadpool(oncall.calendar, self._desk.duty, name, days, now_ms)
        return PlainTextResponse(text, media_type="text/calendar")

    async def interaction(self, request: Request) -> Response:
        body = await request_body(request, slack_interactions.MAX_BODY_BYTES)
        secret = self._desk.slack_signing_secret
        slack_interactions.verify(secret, self._desk.clock, request.headers, body)
        for press in slack_interactions.presses(body):
            await run_in_threadpool(self._desk.press, press)
        return Response(status_code=200)

    def _list(self, every: bool, wanted: PageRequest) -> Response:
        now_ms = self._desk.clock.now_ms()
        known = [i for i in self._desk.ledger.incidents() if every or i.is_open]
        found = page_of(known, lambda incident: (-incident.opened_ms, incident.id), wanted)
        rows = [views.summary(incident, now_ms) for incident in found.rows]
        return JSONResponse(
            {"incidents": rows, "total": found.total, "next_cursor": found.next_cursor}
        )

    def _detail(self, incident_id: str) -> views.Json:
        desk = self._desk
        incident = desk.ledger.incident(incident_id)
        called = desk.called(incident)
        return views.detail(
            desk.intake.crowds.present(incident.with_latest(desk.intake.live)),
            now_ms=desk.clock.now_ms(),
            events=desk.ledger.events(incident_id),
            rows=desk.outbox.rows(incident_id),
            runbook=desk.library.get(incident.runbook.name) if incident.runbook else None,
            measures=desk.measures,
            on_call=called.words if called else None,
        )


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Answer our errors as ``{"type": "error", "message": …}`` with their status."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (InputError, StorageError) as error:
            return _error(error, error.status)

    return answer


def _error(error: TocsinError, status: int) -> Response:
    return JSONResponse({"type": "error", "message": error.message}, status_code=status)
