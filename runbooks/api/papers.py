"""HTTP: post-mortems to read, write and move on; action items."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collectors.errors import InputError, NotFoundError
from runbooks.api.answering import guarded
from runbooks.api.bodies import actor_of, form_of, text_in
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import JsonValue
from runbooks.postmortem.actions import (
    FIELDS,
    MAX_ACTION_TEXT,
    ActionItem,
    as_github,
    as_jira,
)
from runbooks.postmortem.office import MAX_SECTION_TEXT, PostMortemOffice
from runbooks.postmortem.paper import Paper
from runbooks.postmortem.sections import PROMPTS
from runbooks.postmortem.stages import NEXT, Stage

_INCIDENT = "/api/v2/incidents/{id}"
_EXPORTS = {"github": as_github, "jira": as_jira}


def paper_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes of post-mortems and action items."""
    api = _Api(desk)
    paper = f"{_INCIDENT}/post-mortem"
    return [
        Route("/api/v2/post-mortems", guarded(api.papers), methods=["GET"]),
        Route(paper, guarded(api.paper), methods=["GET"]),
        Route(f"{paper}/charts/{{number:int}}.svg", guarded(api.chart), methods=["GET"]),
        Route(f"{paper}/sections/{{name}}", guarded(api.edit), methods=["PUT"]),
        Route(f"{paper}/stage", guarded(api.move), methods=["POST"]),
        Route(f"{paper}/write", guarded(api.write), methods=["POST"]),
        Route(f"{_INCIDENT}/action-items", guarded(api.add), methods=["POST"]),
        Route("/api/v2/action-items", guarded(api.items), methods=["GET"]),
        Route("/api/v2/action-items/{number:int}", guarded(api.change), methods=["POST"]),
    ]


class _Api:
    """The endpoints; whatever reads the database runs off the event loop."""

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk
        self._office = PostMortemOffice(desk.post_mortems, desk.clock, desk.execute)

    async def papers(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._listed))

    async def paper(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        form = request.query_params.get("format", "md")
        read = self._desk.post_mortems
        match form:
            case "md":
                text = await run_in_threadpool(read.markdown, incident_id)
                return PlainTextResponse(text, media_type="text/markdown")
            case "html":
                return HTMLResponse(await run_in_threadpool(read.html, incident_id))
            case "pdf":
                made = await run_in_threadpool(read.pdf, incident_id)
                name = f'inline; filename="post-mortem-{incident_id}.pdf"'
                headers = {"Content-Disposition": name}
                return Response(made, media_type="application/pdf", headers=headers)
            case "json":
                return JSONResponse(await run_in_threadpool(self._whole, incident_id))
        raise InputError(f"format {form[:50]!r} is none of md, html, pdf, json")

    async def chart(self, request: Request) -> Response:
        incident_id, number = request.path_params["id"], request.path_params["number"]
        paper = await run_in_threadpool(self._office.paper, incident_id)
        charts = paper.kept.facts.charts
        if not 1 <= number <= len(charts):
            raise NotFoundError(f"{incident_id} has {len(charts)} charts, and no chart {number}")
        return Response(charts[number - 1].svg, media_type="image/svg+xml")

    async def edit(self, request: Request) -> Response:
        form = await form_of(request, ("text", "actor", "revision"))
        text = text_in(form, "text", MAX_SECTION_TEXT)
        after = form.get("revision")
        if after is not None and not (isinstance(after, int) and after >= 0):
            raise InputError(f"'revision' must be a whole number, not {str(after)[:50]!r}")
        actor, params = actor_of(request, form), request.path_params
        paper = await run_in_threadpool(
            lambda: self._office.edit(params["id"], params["name"], text, actor=actor, after=after)
        )
        return JSONResponse(self._told(paper))

    async def move(self, request: Request) -> Response:
        form = await form_of(request, ("to", "actor", "text"))
        to = _stage(text_in(form, "to", 20, required=True))
        actor, text = actor_of(request, form), text_in(form, "text", 500).strip()
        incident_id = request.path_params["id"]
        paper = await run_in_threadpool(
            lambda: self._office.move(incident_id, to, actor=actor, text=text)
        )
        return JSONResponse(self._told(paper))

    async def write(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        await run_in_threadpool(self._desk.write_post_mortem, incident_id)
        return JSONResponse(await run_in_threadpool(self._whole, incident_id))

    async def add(self, request: Request) -> Response:
        form = await form_of(request, (*FIELDS, "actor"))
        fields = _fields(form)
        actor, incident_id = actor_of(request, form), request.path_params["id"]
        item = await run_in_threadpool(
            lambda: self._office.add_action(incident_id, fields, actor=actor)
        )
        return JSONResponse(self._item(item), status_code=201)

    async def change(self, request: Request) -> Response:
        form = await form_of(request, (*FIELDS, "done", "actor"))
        done = form.get("done")
        if done is not None and not isinstance(done, bool):
            raise InputError(f"'done' must be true or false, not {str(done)[:50]!r}")
        actor_of(request, form)
        number, fields = request.path_params["number"], _fields(form)
        item = await run_in_threadpool(
            lambda: self._office.change_action(number, fields, done=done)
        )
        return JSONResponse(self._item(item))

    async def items(self, request: Request) -> Response:
        asked = request.query_params
        state, form = asked.get("state", "open"), asked.get("format", "plain")
        if state not in {"open", "overdue", "done", "all"}:
            raise InputError(f"state {state[:50]!r} is none of open, overdue, done, all")
        if form != "plain" and form not in _EXPORTS:
            raise InputError(f"format {form[:50]!r} is none of plain, {', '.join(_EXPORTS)}")
        found = await run_in_threadpool(self._office.action_items, asked.get("incident"))
        now_ms = self._desk.clock.now_ms()
        wanted = [item for item in found if _in_state(item, state, now_ms)]
        if form in _EXPORTS:
            return JSONResponse({"action_items": [*_EXPORTS[form](wanted)]})
        return JSONResponse({"action_items": [self._item(item) for item in wanted]})

    def _listed(self) -> Json:
        rows: list[JsonValue] = [self._row(paper) for paper in self._office.papers()]
        return {"post_mortems": rows, "overdue": self._office.overdue()}

    def _whole(self, incident_id: str) -> Json:
        return self._told(self._office.paper(incident_id))

    def _told(self, paper: Paper) -> Json:
        stale = paper.stale
        sections: list[Any] = []
        for prompt in PROMPTS:
            written = paper.texts.get(prompt.name)
            sections.append(
                {
                    "name": prompt.name,
                    "title": prompt.title,
                    "asks": prompt.asks,
                    "text": written.text if written else "",
                    "author": written.author if written else None,
                    "time_ms": written.time_ms if written else None,
                    "revision": written.revision if written else 0,
                    "evidence_changed": [*stale.get(prompt.name, ())],
                }
            )
        return {
            **self._row(paper),
            "sections": sections,
            "facts": dict(paper.kept.facts.sections),
            "warnings": [asdict(warned) for warned in paper.warnings],
            "actions": [self._item(item) for item in paper.actions],
            "charts": [
                {"title": chart.title, "words": chart.words, "svg": chart.svg}
                for chart in paper.kept.facts.charts
            ],
            "markdown": paper.markdown,
        }

    def _row(self, paper: Paper) -> Json:
        kept, now_ms = paper.kept, self._desk.clock.now_ms()
        blanks: list[JsonValue] = [*paper.blanks]
        return {
            "incident_id": kept.incident_id,
            "title": kept.facts.title,
            "severity": kept.facts.severity,
            "stage": kept.stage.value,
            "next_stages": [*sorted(NEXT[kept.stage])],
            "moved_ms": kept.moved_ms,
            "moved_by": kept.moved_by,
            "generated_ms": kept.facts.generated_ms,
            "blanks": len(blanks),
            "missing": blanks,
            "remarks": [*kept.facts.remarks],
            "open_actions": sum(item.done_ms is None for item in paper.actions),
            "overdue_actions": sum(item.overdue(now_ms) for item in paper.actions),
        }

    def _item(self, item: ActionItem) -> Json:
        overdue = item.overdue(self._desk.clock.now_ms())
        return {**asdict(item), "overdue": overdue}


def _stage(text: str) -> Stage:
    try:
        return Stage(text.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise InputError(f"stage {text!r} is none of {', '.join(Stage)}") from None


def _fields(form: Any) -> dict[str, str]:
    return {name: text_in(form, name, MAX_ACTION_TEXT) for name in FIELDS if name in form}


def _in_state(item: ActionItem, state: str, now_ms: int) -> bool:
    match state:
        case "open":
            return item.done_ms is None
        case "overdue":
            return item.overdue(now_ms)
        case "done":
            return item.done_ms is not None
        case _:
            return True
