"""``/api/v2/silences`` in the form of Alertmanager's API v2, and a preview of our own.

Source: ``api/v2/openapi.yaml`` of Alertmanager; ``amtool`` and Grafana speak it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from anomaly.findings import Finding
from collectors.api.parameters import Parameters
from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from runbooks.alerts.labels import prometheus_labels
from runbooks.alerts.matchers import Matcher, Op, matches_all, parse_matcher, parse_matchers
from runbooks.alerts.preview import DAY_MS, Preview, preview
from runbooks.alerts.silence import MAX_AUTHOR, Silence, SilenceState
from runbooks.api.answering import guarded, guarded_as_alertmanager
from runbooks.api.commands import spoken_for
from runbooks.api.rfc3339 import moment_ms, rfc3339
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import JsonValue

MAX_BODY_BYTES = 100_000
MAX_SHOWN = 500
"""Findings that a preview shows; of further ones their number."""
MAX_LENGTH_MS = 10 * 365 * 86_400_000
MAX_LOOKED_AT = 5_000
"""Decisions of the last day that a preview looks at, the newest."""

_ORDER = (SilenceState.ACTIVE, SilenceState.PENDING, SilenceState.EXPIRED)


def silence_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes over the silences of ``desk``."""
    api = _Api(desk)
    one, several = "/api/v2/silence/{id}", "/api/v2/silences"
    spoken = guarded_as_alertmanager
    return [
        Route(several, spoken(api.listed), methods=["GET"]),
        Route(several, spoken(api.put), methods=["POST"]),
        Route(f"{several}/preview", guarded(api.preview), methods=["GET"]),
        Route(one, spoken(api.one), methods=["GET"]),
        Route(one, spoken(api.expire), methods=["DELETE"]),
    ]


class _Api:
    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    async def listed(self, request: Request) -> Response:
        wanted = parse_matchers(Parameters.of(request).all("filter"))
        now_ms = self._desk.clock.now_ms()
        found = [s for s in self._desk.alerting.silences.all() if _concerns(s, wanted)]
        found.sort(key=lambda silence: _place(silence, now_ms))
        return JSONResponse([silence_view(silence, now_ms) for silence in found])

    async def put(self, request: Request) -> Response:
        body = await request_body(request, MAX_BODY_BYTES)
        through = request.scope.get("actor", "")
        wanted = read_silence(body, through, self._desk.clock.now_ms())
        kept = await run_in_threadpool(self._desk.alerting.silences.put, wanted)
        return JSONResponse({"silenceID": kept.id})

    async def one(self, request: Request) -> Response:
        found = self._desk.alerting.silences.one(request.path_params["id"])
        return JSONResponse(silence_view(found, self._desk.clock.now_ms()))

    async def expire(self, request: Request) -> Response:
        by = request.scope.get("actor", "") or "whoever reached the port"
        await run_in_threadpool(self._desk.alerting.silences.expire, request.path_params["id"], by)
        return Response(status_code=200)

    async def preview(self, request: Request) -> Response:
        wanted = parse_matchers(Parameters.of(request).all("filter"))
        if not wanted:
            raise InputError('no matcher is given; write ?filter=alertname="…"')
        return JSONResponse(await run_in_threadpool(self._previewed, wanted))

    def _previewed(self, wanted: Sequence[Matcher]) -> Json:
        desk = self._desk
        lately = desk.decisions.findings_since(desk.clock.now_ms() - DAY_MS, MAX_LOOKED_AT)
        found = preview(wanted, desk.intake.firing.copy().values(), lately)
        return preview_view(found)


def read_silence(body: bytes, through: str, now_ms: int) -> Silence:
    """Return the silence that a client asks for; its id is empty for a new one.

    Args:
        body: As it came.
        through: Who is known to have sent it; empty: whoever reaches the port may say any name.
        now_ms: The present: when it starts unless something else is said.

    Raises:
        InputError: With what was expected.
    """
    parsed = read_plain(body or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError('the body must be an object such as {"matchers": […], "comment": …}')
    matchers = parsed.get("matchers")
    if not isinstance(matchers, list) or not matchers:
        raise InputError("'matchers' is missing; name what to silence")
    starts_ms = moment_ms(parsed.get("startsAt"), "startsAt")
    starts_ms = now_ms + _length(parsed, "beginsInMs") if starts_ms is None else starts_ms
    ends_ms = moment_ms(parsed.get("endsAt"), "endsAt")
    if ends_ms is None:
        ends_ms = max(now_ms, starts_ms) + _length(parsed, "lastsMs")
    return Silence(
        id=_text(parsed, "id")[:64],
        matchers=tuple(_matcher(one) for one in matchers),
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        updated_ms=now_ms,
        author=_author(_text(parsed, "createdBy")[:MAX_AUTHOR], through),
        comment=_text(parsed, "comment"),
    )


def _author(said: str, through: str) -> str:
    return spoken_for(said, through)[:MAX_AUTHOR] if said or through else ""


def silence_view(silence: Silence, now_ms: int) -> Json:
    """Return a silence as Alertmanager shows it."""
    matchers: list[JsonValue] = [
        {
            "name": matcher.name,
            "value": matcher.value,
            "isRegex": matcher.op in (Op.LIKE, Op.UNLIKE),
            "isEqual": matcher.op in (Op.IS, Op.LIKE),
        }
        for matcher in silence.matchers
    ]
    return {
        "id": silence.id,
        "status": {"state": silence.state(now_ms).value},
        "matchers": matchers,
        "startsAt": rfc3339(silence.starts_ms),
        "endsAt": rfc3339(silence.ends_ms),
        "updatedAt": rfc3339(silence.updated_ms),
        "createdBy": silence.author,
        "comment": silence.comment,
    }


def preview_view(found: Preview) -> Json:
    """Return what a silence would hide."""
    return {
        "firing": [_row(finding) for finding in found.firing[:MAX_SHOWN]],
        "firing_total": len(found.firing),
        "last_day": [_row(finding) for finding in found.last_day[:MAX_SHOWN]],
        "last_day_total": len(found.last_day),
        "own_not_hidden": found.own_not_hidden,
    }


def _row(finding: Finding) -> JsonValue:
    labels: dict[str, JsonValue] = {**prometheus_labels(finding)}
    return {
        "id": finding.id,
        "title": finding.title,
        "urgency": str(finding.urgency),
        "started_ms": finding.started_ms,
        "labels": labels,
    }


def _matcher(given: object) -> Matcher:
    """Return a matcher as Alertmanager's clients send it, or as people write it."""
    if isinstance(given, str):
        return parse_matcher(given)
    if not isinstance(given, dict):
        raise InputError(
            f"{str(given)[:80]!r} is no matcher; write name, value, isRegex, isEqual, "
            "or a text such as service=shop"
        )
    like, equal = given.get("isRegex", False), given.get("isEqual", True)
    if not isinstance(like, bool) or not isinstance(equal, bool):
        raise InputError("'isRegex' and 'isEqual' of a matcher must be true or false")
    ops = {(False, True): Op.IS, (False, False): Op.IS_NOT, (True, True): Op.LIKE}
    op = ops.get((like, equal), Op.UNLIKE)
    return Matcher(_text(given, "name"), op, _text(given, "value"))


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name!r} must be a text, not {str(value)[:50]!r}")
    return value or ""


def _length(given: Mapping[str, object], name: str) -> int:
    """Return a length of our own clients, who need not know our time; 0 without it."""
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_LENGTH_MS:
        raise InputError(f"{name!r} must be milliseconds up to {MAX_LENGTH_MS}")
    return value


def _concerns(silence: Silence, wanted: Iterable[Matcher]) -> bool:
    """Whether what a silence names is what a filter asks for, by the names of its labels."""
    return matches_all(wanted, {matcher.name: matcher.value for matcher in silence.matchers})


def _place(silence: Silence, now_ms: int) -> tuple[int, int, str]:
    """Order as Alertmanager does: active and pending by their next change, then the latest over."""
    state = silence.state(now_ms)
    time_ms = silence.starts_ms if state is SilenceState.PENDING else silence.ends_ms
    sign = -1 if state is SilenceState.EXPIRED else 1
    return _ORDER.index(state), sign * time_ms, silence.id
