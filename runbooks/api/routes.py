"""HTTP routes of the room: incidents, runbooks, decisions, post-mortems, Slack's interactions."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collectors.api.pages import PageRequest, page_of
from collectors.api.parameters import Parameters
from collectors.errors import InputError, NotFoundError
from collectors.receivers.body import request_body
from runbooks.alerts.decision_log import MAX_LISTED
from runbooks.api import escalations, heartbeats, oncall, overrides, views
from runbooks.api.alertmanager.routes import alertmanager_routes
from runbooks.api.answering import guarded
from runbooks.api.commands import (
    MAX_BODY_BYTES,
    Asked,
    Escalate,
    Merge,
    Split,
    parse_command,
    parse_declaration,
    word_of,
)
from runbooks.api.noise import noise_routes
from runbooks.api.papers import paper_routes
from runbooks.api.permitting import permit
from runbooks.api.progress import progress
from runbooks.api.public_links import public_link_routes
from runbooks.api.runs import RunRoutes
from runbooks.api.screen import Objectives, nothing_watched, screen_routes
from runbooks.api.silences import silence_routes
from runbooks.api.slack import slack_routes
from runbooks.api.why import why_routes
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.reporting import report_of

MAX_DAYS = 3_660
"""Days that a report may cover."""


def runbooks_routes(desk: IncidentDesk, objectives: Objectives = nothing_watched) -> list[Route]:
    """Return the routes over ``desk``; ``objectives`` are shown beside an incident."""
    api, running, runs = _Api(desk), RunRoutes(desk.automation), "/api/v2/runbook-runs"
    incident = "/api/v2/incidents/{id}"
    return [
        Route("/api/v2/incidents", guarded(api.incidents), methods=["GET"]),
        Route("/api/v2/incidents", guarded(api.declare), methods=["POST"]),
        Route("/api/v2/incident-report", guarded(api.report), methods=["GET"]),
        Route(incident, guarded(api.incident), methods=["GET"]),
        *screen_routes(desk, api.detail, objectives),
        Route(f"{incident}/commands", guarded(api.command), methods=["POST"]),
        Route(f"{incident}/events/{{seq:int}}", guarded(api.event), methods=["GET"]),
        *paper_routes(desk),
        *public_link_routes(desk),
        Route("/api/v2/runbooks", guarded(api.runbooks), methods=["GET"]),
        Route(runs, guarded(running.runs), methods=["GET"]),
        Route(runs, guarded(running.begin), methods=["POST"]),
        Route(f"{runs}/{{id}}", guarded(running.run), methods=["GET"]),
        Route(f"{runs}/{{id}}/decisions", guarded(running.decide), methods=["POST"]),
        Route("/api/v2/finding-decisions", guarded(api.decisions), methods=["GET"]),
        Route("/api/v2/oncall", guarded(api.oncall), methods=["GET"]),
        *overrides.override_routes(desk),
        *heartbeats.heartbeat_routes(desk),
        Route("/api/v2/escalations", guarded(api.escalations), methods=["GET"]),
        Route("/api/v2/oncall/{name}.ics", guarded(api.calendar), methods=["GET"]),
        *slack_routes(desk),
        *silence_routes(desk),
        *alertmanager_routes(desk),
        *why_routes(desk),
        *noise_routes(desk),
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
        return JSONResponse(await run_in_threadpool(self.detail, request.path_params["id"]))

    async def command(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        # Before the body is read: whoever has the wrong incident is told of that first.
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        body = await request_body(request, MAX_BODY_BYTES)
        permit(request, word_of(body))
        actor, now_ms = request.scope.get("actor", ""), self._desk.clock.now_ms()
        command = parse_command(body, actor, now_ms)
        shown = await run_in_threadpool(self._carry_out, incident_id, command)
        return JSONResponse(await run_in_threadpool(self.detail, shown))

    async def declare(self, request: Request) -> Response:
        said = parse_declaration(
            await request_body(request, MAX_BODY_BYTES),
            request.scope.get("actor", ""),
            self._desk.clock.now_ms(),
        )
        opened = await run_in_threadpool(self._desk.responses.declare, said)
        return JSONResponse(await run_in_threadpool(self.detail, opened.id), status_code=201)

    async def report(self, request: Request) -> Response:
        days = Parameters.of(request).integer("days", 30, low=1, high=MAX_DAYS)
        return JSONResponse(asdict(await run_in_threadpool(report_of, self._desk, days)))

    async def event(self, request: Request) -> Response:
        incident_id, seq = request.path_params["id"], request.path_params["seq"]
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        events = await run_in_threadpool(self._desk.ledger.events, incident_id)
        found = [event for event in events if event.seq == seq]
        if not found:
            raise NotFoundError(f"{incident_id} has {len(events)} events, and no event {seq}")
        return JSONResponse(views.timeline_item(found[0], self._desk.links))

    async def runbooks(self, request: Request) -> Response:
        del request
        library = self._desk.library.values()
        return JSONResponse({"runbooks": [views.document(runbook) for runbook in library]})

    async def decisions(self, request: Request) -> Response:
        most = Parameters.of(request).integer("limit", MAX_LISTED, low=1, high=MAX_LISTED)
        found = await run_in_threadpool(self._desk.decisions.latest, most)
        return JSONResponse({"decisions": found})

    async def oncall(self, request: Request) -> Response:
        days, now_ms = oncall.days_of(request), self._desk.clock.now_ms()
        return JSONResponse(await run_in_threadpool(oncall.rota, self._desk.duty, days, now_ms))

    async def escalations(self, request: Request) -> Response:
        at_ms = escalations.moment_of(request, self._desk.clock.now_ms())
        policies = self._desk.on_call.escalations.policies
        return JSONResponse(escalations.policies(policies, self._desk.duty, at_ms))

    async def calendar(self, request: Request) -> Response:
        days, now_ms = oncall.days_of(request), self._desk.clock.now_ms()
        name = request.path_params["name"]
        text = await run_in_threadpool(oncall.calendar, self._desk.duty, name, days, now_ms)
        return PlainTextResponse(text, media_type="text/calendar")

    def _carry_out(self, incident_id: str, asked: Asked) -> str:
        """Carry out what was asked; return the incident in which it goes on."""
        responses = self._desk.responses
        if isinstance(asked, Merge):
            return responses.merge(incident_id, asked.into, asked.actor, asked.text).id
        if isinstance(asked, Split):
            return responses.split(incident_id, asked.finding_ids, asked.actor, asked.text).id
        if isinstance(asked, Escalate):
            now_ms, escalations = self._desk.clock.now_ms(), self._desk.on_call.escalations
            return escalations.hasten(incident_id, asked.actor, asked.text, now_ms).id
        return self._desk.execute(incident_id, asked).id

    def _list(self, every: bool, wanted: PageRequest) -> Response:
        now_ms = self._desk.clock.now_ms()
        known = [i for i in self._desk.ledger.incidents() if every or i.is_open]
        found = page_of(known, lambda incident: (-incident.opened_ms, incident.id), wanted)
        rows = [views.summary(incident, now_ms) for incident in found.rows]
        return JSONResponse(
            {"incidents": rows, "total": found.total, "next_cursor": found.next_cursor}
        )

    def detail(self, incident_id: str) -> views.Json:
        """Return all of one incident."""
        desk = self._desk
        incident = desk.ledger.incident(incident_id)
        called, events = desk.called(incident), desk.ledger.events(incident_id)
        shown = views.detail(
            desk.intake.crowds.present(incident.with_latest(desk.intake.live)),
            now_ms=desk.clock.now_ms(),
            events=events,
            rows=desk.outbox.rows(incident_id),
            runbook=desk.library.get(incident.runbook.name) if incident.runbook else None,
            measures=desk.measures,
            links=desk.links,
            on_call=called.words if called else None,
            diagnosis=desk.automation.diagnosis(incident_id),
            escalation=desk.on_call.escalations.state(incident_id),
        )
        return shown | progress(
            incident,
            now_ms=desk.clock.now_ms(),
            events=events,
            update_every_s=desk.settings.update_every_s,
            similar=desk.similar(incident),
        )
