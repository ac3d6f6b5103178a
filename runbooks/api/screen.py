"""``GET /api/v2/incidents/{id}/screen``: all that a page draws of an incident, in one answer.

It is composed once a second at most, however many ask, and says by its ``ETag`` whether anything
but the clock has moved on: who has that version already is answered 304, without a body.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runbooks.api import runs, views
from runbooks.api.answering import guarded
from runbooks.desk.desk import IncidentDesk
from runbooks.first_screen.people import people_of
from runbooks.first_screen.screen import first_screen
from runbooks.first_screen.showing import objective, shown
from runbooks.incidents.events import JsonValue

Json = dict[str, JsonValue]
MAX_KEPT = 100
"""Screens that are kept to be answered again; the one asked for the longest ago goes."""

FRESH_MS = 1_000
MAX_RUNS = 5
"""Runs of runbooks in a screen, the newest."""

MAX_OBJECTIVES = 200
"""Objectives in a screen."""

MAX_OPEN = 100
"""Other open incidents in a screen, the newest."""

_PASSING = frozenset({"elapsed_s", "person_hours"})
"""What moves on with the clock alone: a page counts that by itself."""

DetailOf = Callable[[str], Json]
Objectives = Callable[[], Sequence[Mapping[str, object]]]


def nothing_watched() -> Sequence[Mapping[str, object]]:
    """Return no objectives: for whoever has none."""
    return ()


def screen_routes(
    desk: IncidentDesk, detail: DetailOf, objectives: Objectives = nothing_watched
) -> list[Route]:
    """Return the route over ``desk``.

    Args:
        desk: Where incidents are.
        detail: Returns all of one, as ``GET /api/v2/incidents/{id}`` does.
        objectives: Returns how each objective stands, as ``GET /api/v2/slos`` does.
    """
    screens = _Screens(desk, detail, objectives)

    async def screen(request: Request) -> Response:
        kept = await run_in_threadpool(screens.of, request.path_params["id"])
        headers = {"ETag": kept.version, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == kept.version:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(kept.body, media_type="application/json", headers=headers)

    path = "/api/v2/incidents/{id}/screen"
    return [Route(path, guarded(screen), methods=["GET"])]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    made_ms: int
    seq: int
    version: str
    body: bytes


class _Screens:
    """Composes screens, each once a second at most.

    Args:
        desk: Where incidents are.
        detail: Returns all of one.
        objectives: Returns how each objective stands.
    """

    def __init__(self, desk: IncidentDesk, detail: DetailOf, objectives: Objectives) -> None:
        self._desk, self._detail, self._objectives = desk, detail, objectives
        self._lock = Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def of(self, incident_id: str) -> _Kept:
        """Return an incident's screen; what has just happened to it is in it.

        Raises:
            NotFoundError: There is no such incident.
        """
        with self._lock:
            seq, now_ms = self._desk.ledger.incident(incident_id).seq, self._desk.clock.now_ms()
            kept = self._kept.get(incident_id)
            if kept is None or kept.seq != seq or not 0 <= now_ms - kept.made_ms < FRESH_MS:
                kept = self._made(incident_id, seq, now_ms)
                self._kept[incident_id] = kept
            self._kept.move_to_end(incident_id)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            return kept

    def _made(self, incident_id: str, seq: int, now_ms: int) -> _Kept:
        composed = self._composed(incident_id, now_ms)
        text = json.dumps(_lasting(composed), separators=(",", ":"), sort_keys=True)
        version = hashlib.sha256(text.encode()).hexdigest()[:20]
        body = json.dumps({**composed, "version": version}, separators=(",", ":")).encode()
        return _Kept(made_ms=now_ms, seq=seq, version=f'"{version}"', body=body)

    def _composed(self, incident_id: str, now_ms: int) -> Json:
        desk, detail = self._desk, self._detail(incident_id)
        incident = desk.ledger.incident(incident_id)
        called = desk.called(incident)
        found = desk.automation.runner.latest(incident_id)[:MAX_RUNS]
        words = called.words if called else ""
        people = people_of(incident, desk.outbox.rows(incident_id), words)
        screen = first_screen(
            desk.intake.crowds.present(incident.with_latest(desk.intake.live)),
            metrics=desk.post_mortems.metrics,
            measures=desk.measures,
            people=people,
            runs=found,
            library=desk.library,
            now_ms=now_ms,
        )
        others = [one for one in desk.ledger.incidents() if one.is_open][:MAX_OPEN]
        rows: list[JsonValue] = [objective(row) for row in self._rows()]
        return {
            **shown(screen),
            "incident": detail,
            "open": [views.summary(one, now_ms) for one in others],
            "objectives": rows,
            "runs": [runs.detail(run) for run in found],
        }

    def _rows(self) -> list[Json]:
        return [cast("Json", row) for row in self._objectives()][:MAX_OBJECTIVES]


def _lasting(value: JsonValue) -> JsonValue:
    """Return ``value`` without what moves on with the clock alone."""
    if isinstance(value, dict):
        return {key: _lasting(one) for key, one in value.items() if key not in _PASSING}
    return [*map(_lasting, value)] if isinstance(value, list) else value
