"""HTTP: public links to make, list and revoke; and the page behind one."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from collectors.errors import InputError
from runbooks.api.answering import guarded
from runbooks.api.bodies import actor_of, form_of
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.sharing.links import PublicLink, PublicLinks
from runbooks.sharing.page import page_of

SHARED = "/shared"
"""Below it are pages for whoever has the address."""

_DAY_MS = 86_400_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def public_link_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes of public links."""
    api = _Api(desk)
    links = "/api/v2/incidents/{id}/public-links"
    return [
        Route(links, guarded(api.links), methods=["GET"]),
        Route(links, guarded(api.make), methods=["POST"]),
        Route(f"{links}/{{number:int}}", guarded(api.revoke), methods=["DELETE"]),
        Route(f"{SHARED}/{{secret}}", api.page, methods=["GET"]),
    ]


class _Api:
    """The endpoints; whatever reads the database runs off the event loop."""

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk
        longest_ms = int(desk.settings.public_link_s * 1000)
        self._links = PublicLinks(desk.engine, desk.clock, desk.execute, longest_ms)

    async def links(self, request: Request) -> Response:
        incident_id = request.path_params["id"]
        return JSONResponse(await run_in_threadpool(self._listed, incident_id))

    async def make(self, request: Request) -> Response:
        form = await form_of(request, ("days", "actor"))
        days, incident_id = form.get("days", 7), request.path_params["id"]
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3_660:
            raise InputError(f"'days' must be a number above 0, not {str(days)[:50]!r}")
        actor = actor_of(request, form)
        await run_in_threadpool(self._desk.ledger.incident, incident_id)
        link, secret = await run_in_threadpool(
            lambda: self._links.make(incident_id, int(days * _DAY_MS), actor=actor)
        )
        address = f"{self._desk.links.api_url}{SHARED}/{secret}"
        return JSONResponse(self._told(link) | {"url": address}, status_code=201)

    async def revoke(self, request: Request) -> Response:
        incident_id, number = request.path_params["id"], request.path_params["number"]
        actor = actor_of(request, {"actor": request.query_params.get("actor", "")})
        link = await run_in_threadpool(lambda: self._links.revoke(incident_id, number, actor=actor))
        return JSONResponse(self._told(link))

    async def page(self, request: Request) -> Response:
        shown = await run_in_threadpool(self._page, request.path_params["secret"])
        if shown is None:
            told = (
                "<!doctype html><title>Nothing here</title><p>This link opens nothing (any more)."
            )
            return HTMLResponse(told, status_code=404, headers=_HEADERS)
        return HTMLResponse(shown, headers=_HEADERS)

    def _page(self, secret: str) -> str | None:
        incident_id = self._links.incident_of(secret)
        if incident_id is None:
            return None
        ledger = self._desk.ledger
        incident, events = ledger.incident(incident_id), ledger.events(incident_id)
        return page_of(incident, events, self._desk.clock.now_ms())

    def _listed(self, incident_id: str) -> Json:
        self._desk.ledger.incident(incident_id)
        return {
            "longest_days": self._links.longest_ms / _DAY_MS,
            "public_links": [self._told(one) for one in self._links.of(incident_id)],
        }

    def _told(self, link: PublicLink) -> Json:
        return {**asdict(link), "lives": link.lives(self._desk.clock.now_ms())}
