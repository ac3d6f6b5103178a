"""``/api/v2/oncall/overrides``: somebody is on call instead of whoever it would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from runbooks.api.answering import guarded
from runbooks.api.commands import MAX_ACTOR, spoken_for
from runbooks.api.permitting import permit
from runbooks.desk.desk import IncidentDesk

MAX_BODY_BYTES = 10_000
MAX_TEXT = 500
_PATH = "/api/v2/oncall/overrides"
_MAX_TIME_MS = 4_102_444_800_000


def override_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over ``desk``."""

    async def listed(request: Request) -> Response:
        del request
        await run_in_threadpool(desk.on_call.roster.tick, desk.clock.now_ms())
        return JSONResponse({"overrides": [asdict(one) for one in desk.on_call.roster.asked()]})

    async def asked(request: Request) -> Response:
        permit(request, "override")
        body = _body(await request_body(request, MAX_BODY_BYTES))
        by = spoken_for(_text(body, "actor", MAX_ACTOR), request.scope.get("actor", ""))
        made = await run_in_threadpool(
            desk.on_call.roster.add,
            _text(body, "schedule", 100),
            _text(body, "person", 100),
            _moment(body, "start_ms"),
            _moment(body, "end_ms"),
            reason=_text(body, "reason", MAX_TEXT),
            by=by,
            now_ms=desk.clock.now_ms(),
        )
        return JSONResponse(asdict(made), status_code=201)

    async def cancelled(request: Request) -> Response:
        permit(request, "override")
        said = request.query_params.get("actor", "")[:MAX_ACTOR]
        by = spoken_for(said, request.scope.get("actor", ""))
        number = request.path_params["id"]
        cancel = desk.on_call.roster.cancel
        await run_in_threadpool(cancel, number, by=by, now_ms=desk.clock.now_ms())
        return JSONResponse({"cancelled": number})

    return [
        Route(_PATH, guarded(listed), methods=["GET"]),
        Route(_PATH, guarded(asked), methods=["POST"]),
        Route(f"{_PATH}/{{id:int}}", guarded(cancelled), methods=["DELETE"]),
    ]


def _body(raw: bytes) -> Mapping[str, Any]:
    parsed = read_plain(raw or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError('the body must be an object such as {"schedule": "payments", …}')
    return parsed


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{name!r} must be a text, not {str(value)[:50]!r}")
    if len(value) > longest:
        raise InputError(f"{name!r} has {len(value)} characters; at most {longest}")
    return value.strip()


def _moment(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_TIME_MS:
        raise InputError(f"{name!r} must be a time in epoch milliseconds, not {str(value)[:50]!r}")
    return value
