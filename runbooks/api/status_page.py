"""HTTP: the status page to look at and to publish on; the static site at ``/status/``."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from collectors.errors import InputError, NotFoundError
from runbooks.api.answering import guarded
from runbooks.api.bodies import actor_of, form_of, text_in
from runbooks.api.subscribing import subscription_routes
from runbooks.status_page.component import State
from runbooks.status_page.notices import MAX_TITLE, MAX_UPDATE_TEXT, Progress
from runbooks.status_page.office import StatusOffice
from runbooks.status_page.page import DEFAULT_OVERRIDE_MS
from runbooks.status_page.site import as_json, headline, notice_json
from runbooks.status_page.subscribers import MAX_ADDRESS, Kind, Subscriber

SITE = "/status"
_ROOT = "/api/v2/status-page"
_FILE = re.compile(
    r"index\.html|style\.css|status\.json|feed\.(?:rss|atom)|incidents/(?:index|\d{1,9})\.html"
)
_TYPES = {".rss": "application/rss+xml", ".atom": "application/atom+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=15",
}
AUTOMATIC = "automatic"
"""As a state: what a person said of a component ends."""


def status_routes(office: StatusOffice) -> list[Route]:
    """Return the routes of the status page."""
    api = _Api(office)
    return [
        Route(_ROOT, guarded(api.page), methods=["GET"]),
        Route(f"{_ROOT}/incidents", guarded(api.publish), methods=["POST"]),
        Route(f"{_ROOT}/maintenance", guarded(api.schedule), methods=["POST"]),
        Route(f"{_ROOT}/notices/{{number:int}}/updates", guarded(api.update), methods=["POST"]),
        Route(f"{_ROOT}/components/{{name}}", guarded(api.say), methods=["POST"]),
        Route(f"{_ROOT}/build", guarded(api.build), methods=["POST"]),
        Route(f"{_ROOT}/subscribers", guarded(api.subscribers), methods=["GET"]),
        Route(f"{_ROOT}/subscribers", guarded(api.subscribe), methods=["POST"]),
        Route(f"{_ROOT}/subscribers/{{number:int}}", guarded(api.remove), methods=["DELETE"]),
        *subscription_routes(office),
        Route(SITE, guarded(api.front), methods=["GET"]),
        Route(f"{SITE}/{{path:path}}", guarded(api.site), methods=["GET"]),
    ]


class _Api:
    """The endpoints; whatever reads the database runs off the event loop."""

    def __init__(self, office: StatusOffice) -> None:
        self._office = office
        self._page = office.page

    async def page(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._whole))

    async def publish(self, request: Request) -> Response:
        known = ("title", "text", "progress", "components", "incident_id", "actor")
        form = await form_of(request, known)
        title, text = text_in(form, "title", MAX_TITLE), text_in(form, "text", MAX_UPDATE_TEXT)
        progress = _progress(text_in(form, "progress", 20) or Progress.INVESTIGATING)
        components, actor = _components(form), actor_of(request, form)
        incident_id = text_in(form, "incident_id", 50).strip()
        notice = await run_in_threadpool(
            lambda: self._page.publish(
                title=title,
                text=text,
                progress=progress,
                components=components or {},
                actor=actor,
                incident_id=incident_id,
            )
        )
        return await self._published(notice.id, 201)

    async def schedule(self, request: Request) -> Response:
        known = ("title", "text", "components", "starts_ms", "ends_ms", "actor")
        form = await form_of(request, known)
        title, text = text_in(form, "title", MAX_TITLE), text_in(form, "text", MAX_UPDATE_TEXT)
        starts_ms, ends_ms = _number(form, "starts_ms"), _number(form, "ends_ms")
        names, actor = [*_names(form)], actor_of(request, form)
        notice = await run_in_threadpool(
            lambda: self._page.schedule(
                title=title,
                text=text,
                components=names,
                starts_ms=starts_ms,
                ends_ms=ends_ms,
                actor=actor,
            )
        )
        return await self._published(notice.id, 201)

    async def update(self, request: Request) -> Response:
        form = await form_of(request, ("text", "progress", "components", "actor"))
        text, progress = text_in(form, "text", MAX_UPDATE_TEXT), text_in(form, "progress", 20)
        number, actor = request.path_params["number"], actor_of(request, form)
        components = _components(form)
        await run_in_threadpool(
            lambda: self._page.update(
                number, text=text, progress=progress, actor=actor, components=components
            )
        )
        return await self._published(number, 200)

    async def say(self, request: Request) -> Response:
        form = await form_of(request, ("state", "for_s", "text", "actor"))
        said = text_in(form, "state", 30, required=True)
        state = None if said == AUTOMATIC else _state(said)
        for_ms = _number(form, "for_s", DEFAULT_OVERRIDE_MS // 1_000) * 1_000
        text, actor = text_in(form, "text", 500), actor_of(request, form)
        name = request.path_params["name"]
        await run_in_threadpool(
            lambda: self._page.say(name, state, for_ms=for_ms, actor=actor, text=text)
        )
        self._office.publisher.request()
        return JSONResponse(await run_in_threadpool(self._whole))

    async def build(self, request: Request) -> Response:
        del request
        made = await run_in_threadpool(self._office.publisher.build)
        return JSONResponse({"directory": str(self._office.publisher.directory), "files": made})

    async def subscribers(self, request: Request) -> Response:
        del request
        found = await run_in_threadpool(self._office.subscribers.all)
        return JSONResponse({"subscribers": [_subscriber(one) for one in found]})

    async def subscribe(self, request: Request) -> Response:
        form = await form_of(request, ("address", "actor"))
        address = text_in(form, "address", MAX_ADDRESS, required=True)
        actor, now_ms = actor_of(request, form), self._page.now_ms()
        if "@" in address and "://" not in address:
            asked = await run_in_threadpool(lambda: self._office.ask(address, actor=actor))
            return JSONResponse(_subscriber(asked), status_code=201)
        one = await run_in_threadpool(
            lambda: self._office.subscribers.add(Kind.WEB, address, actor=actor, now_ms=now_ms)
        )
        # Shown this once: whoever is called verifies with it who calls.
        return JSONResponse(_subscriber(one) | {"secret": one.secret}, status_code=201)

    async def remove(self, request: Request) -> Response:
        number = request.path_params["number"]
        await run_in_threadpool(self._office.subscribers.remove, number)
        return JSONResponse({"removed": number})

    async def front(self, request: Request) -> Response:
        del request
        return RedirectResponse(f"{SITE}/")

    async def site(self, request: Request) -> Response:
        path = request.path_params["path"] or "index.html"
        if not _FILE.fullmatch(path):
            raise NotFoundError(f"the status page has no {path[:80]!r}")
        _ = self._page.set_up
        file = self._office.publisher.directory / path
        if not file.exists() and path == "index.html":
            await run_in_threadpool(self._office.publisher.build)
        try:
            content = await run_in_threadpool(file.read_bytes)
        except FileNotFoundError:
            raise NotFoundError(f"the status page has no {path!r}") from None
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(path)[0] or "text/plain"
        return Response(content, media_type=kind, headers=_HEADERS)

    async def _published(self, number: int, status: int) -> Response:
        """Answer with a notice; the site is written at once, so that it is there when we answer."""
        await run_in_threadpool(self._office.publisher.build)
        self._office.publisher.request()
        found = await run_in_threadpool(self._page.notice, number)
        body = notice_json(found, self._page.now_ms()) | {"incident_id": found.incident_id}
        return JSONResponse(body, status_code=status)

    def _whole(self) -> dict[str, Any]:
        view = self._page.view()
        told = as_json(view)
        for row, one in zip(told["components"], view.components, strict=True):
            row["reason"], row["history"] = one.standing.reason, one.history.words
        for row, notice in zip(told["notices"], view.notices, strict=True):
            row["incident_id"] = notice.incident_id
        drafts = [asdict(one) for one in self._page.drafts()]
        subscribers = len(self._office.subscribers.all())
        wording = {"headline": headline(view), "states": {one.value: one.words for one in State}}
        ours = {"url": view.url, "drafts": drafts, "subscribers": subscribers}
        return {**told, **wording, **ours}


def _subscriber(one: Subscriber) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "address": one.address,
        "confirmed": one.confirmed_ms is not None,
        "created_by": one.created_by,
        "failures": one.failures,
        "last_error": one.last_error,
    }


def _components(form: Mapping[str, Any]) -> dict[str, State] | None:
    found = form.get("components")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise InputError('\'components\' must be an object such as {"playback": "degraded"}')
    return {str(name): _state(str(state)) for name, state in found.items()}


def _names(form: Mapping[str, Any]) -> list[str]:
    found = form.get("components", [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InputError("'components' must be a list of names")
    return found


def _number(form: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = form.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise InputError(f"{name!r} must be a whole number, not {str(value)[:50]!r}")
    return value


def _state(text: str) -> State:
    try:
        return State(text.strip().lower().replace(" ", "_"))
    except ValueError:
        raise InputError(f"state {text[:50]!r} is none of {', '.join(State)}") from None


def _progress(text: str) -> Progress:
    try:
        return Progress(text.strip().lower().replace(" ", "_"))
    except ValueError:
        raise InputError(f"progress {text[:50]!r} is none of {', '.join(Progress)}") from None
