"""Alertmanager's API v2: alerts in, alerts and groups out, and what its clients ask before.

Source: ``api/v2/openapi.yaml`` of Alertmanager. Prometheus sends here, ``amtool`` and Grafana read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from anomaly.findings import Finding
from collectors.api.parameters import Parameters
from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from collectors.patterns import Pattern, PatternError
from collectors.receivers.body import request_body
from runbooks.alerts.labels import prometheus_labels
from runbooks.alerts.matchers import matches_all, parse_matchers
from runbooks.alerts.muting import Stage
from runbooks.alerts.received import TOLD_ONCE_MS, Alert, TooManyAlertsError, fingerprint
from runbooks.api.alertmanager.config import as_alertmanager
from runbooks.api.answering import guarded_as_alertmanager
from runbooks.api.rfc3339 import moment_ms, rfc3339
from runbooks.api.views import Json
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import JsonValue
from runbooks.paging.ways import name_of

MAX_BODY_BYTES = 8 << 20
MAX_ALERTS_AT_ONCE = 10_000
MAX_LABELS = 64
MAX_LABEL_CHARS = 2_048
MAX_ANNOTATION_CHARS = 16_384
_ALERTS, _WEBHOOK = "/api/v2/alerts", "/api/v2/alertmanager/webhook"
DELIVERED = frozenset({_ALERTS, _WEBHOOK})
"""Where other programs send, by whatever name they have for us."""

_NOWHERE = "nowhere"

Read = Callable[[object], Alert]


def alertmanager_routes(desk: IncidentDesk) -> list[Route]:
    """Return the routes that an Alertmanager has, over ``desk``."""
    api = _Api(desk)
    spoken = guarded_as_alertmanager
    return [
        Route(_ALERTS, spoken(api.listed), methods=["GET"]),
        Route(_ALERTS, spoken(api.take), methods=["POST"]),
        Route(f"{_ALERTS}/groups", spoken(api.groups), methods=["GET"]),
        Route(_WEBHOOK, spoken(api.webhook), methods=["POST"]),
        Route("/api/v2/receivers", spoken(api.receivers), methods=["GET"]),
        Route("/api/v2/status", spoken(api.status), methods=["GET"]),
        Route("/-/ready", _fine, methods=["GET", "HEAD"]),
        Route("/-/healthy", _fine, methods=["GET", "HEAD"]),
    ]


class _Api:
    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk
        self._started_ms = desk.clock.now_ms()

    async def take(self, request: Request) -> Response:
        body = await request_body(request, MAX_BODY_BYTES)
        return await run_in_threadpool(self._taken, read_plain(body or b"[]"), read_alert)

    async def webhook(self, request: Request) -> Response:
        told = read_plain(await request_body(request, MAX_BODY_BYTES) or b"{}")
        if not isinstance(told, dict) or not isinstance(told.get("alerts"), list):
            raise DecodeError("the body must be an object with 'alerts', as Alertmanager sends it")
        return await run_in_threadpool(self._taken, told["alerts"], read_webhook_alert)

    async def listed(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._listed, Parameters.of(request)))

    async def groups(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._grouped, Parameters.of(request)))

    async def receivers(self, request: Request) -> Response:
        del request
        names = sorted(map(name_of, self._desk.ledger.routes.all_targets()))
        return JSONResponse([{"name": name} for name in dict.fromkeys(names)])

    async def status(self, request: Request) -> Response:
        del request
        unknown = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
        return JSONResponse(
            {
                "cluster": {"name": "tocsin", "status": "disabled", "peers": []},
                "config": {"original": as_alertmanager(self._desk.ledger.routes)},
                "uptime": rfc3339(self._started_ms),
                # Clients choose what they ask for by the version of Alertmanager's API.
                "versionInfo": {**unknown, "version": "0.25.0"},
            }
        )

    def _taken(self, told: object, read: Read) -> Response:
        """Take in what can be read; say what can't, as Alertmanager does."""
        if not isinstance(told, list):
            raise DecodeError("the body must be a list of alerts")
        if len(told) > MAX_ALERTS_AT_ONCE:
            raise InputError(f"{len(told)} alerts at once; at most {MAX_ALERTS_AT_ONCE}")
        alerts: list[Alert] = []
        wrong: list[str] = []
        for one in told:
            try:
                alerts.append(read(one))
            except InputError as error:
                wrong.append(error.message)
        try:
            changed = self._desk.alerting.received.take(alerts, self._desk.clock.now_ms())
        except TooManyAlertsError as error:
            self._receive(error.changed)
            raise
        self._receive(changed)
        if wrong:
            more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            return JSONResponse("; ".join(wrong[:5]) + more, status_code=400)
        return Response(status_code=200)

    def _receive(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._desk.receive(finding)

    def _listed(self, asked: Parameters) -> list[Json]:
        return [row for row, _ in self._rows(asked)]

    def _grouped(self, asked: Parameters) -> list[Json]:
        """Return alerts by incident and way; what no incident has is by itself."""
        groups: dict[tuple[str, str], list[JsonValue]] = defaultdict(list)
        for row, finding in self._rows(asked):
            incident = self._desk.intake.owner(finding.id) or ""
            for receiver in _names(row["receivers"]):
                groups[incident, receiver].append(row)
        return [
            {
                "labels": {"incident": incident} if incident else {},
                "receiver": {"name": receiver},
                "alerts": alerts,
            }
            for (incident, receiver), alerts in sorted(groups.items())
        ]

    def _rows(self, asked: Parameters) -> list[tuple[Json, Finding]]:
        wanted = parse_matchers(asked.all("filter"))
        receiver = _pattern(asked.text("receiver"))
        found = []
        for finding in self._desk.intake.firing.copy().values():
            labels = prometheus_labels(finding)
            if not matches_all(wanted, labels):
                continue
            row = self._row(finding, labels)
            if not _is_asked(row, asked):
                continue
            if receiver is None or any(map(receiver.matches, _names(row["receivers"]))):
                found.append((row, finding))
        return found

    def _row(self, finding: Finding, labels: Mapping[str, str]) -> Json:
        known = self._desk.alerting.received.get(finding)
        held = self._desk.alerting.muting.verdict(finding)
        by = {stage: [held.by] if held and held.stage is stage else [] for stage in Stage}
        annotations = {"summary": finding.title, "description": finding.explanation}
        ends_ms = known.ends_ms if known else finding.updated_ms + TOLD_ONCE_MS
        return {
            # Of our own: by which `tocsin alerts why` asks, and what it belongs to.
            "id": finding.id,
            "incident": self._desk.intake.owner(finding.id),
            "labels": {**labels},
            "annotations": {**(known.alert.annotations if known else annotations)},
            "startsAt": rfc3339(finding.started_ms),
            "endsAt": rfc3339(ends_ms),
            "updatedAt": rfc3339(finding.updated_ms),
            "fingerprint": fingerprint(labels),
            "generatorURL": known.alert.generator_url if known else "",
            "receivers": [{"name": name} for name in self._receivers(finding)],
            "status": {
                "state": "suppressed" if held else "active",
                "silencedBy": [*by[Stage.SILENCE]],
                "inhibitedBy": [*by[Stage.INHIBITION]],
                "mutedBy": [*by[Stage.MAINTENANCE]],
            },
        }

    def _receivers(self, finding: Finding) -> list[str]:
        """Return who is told of a finding's incident."""
        owner = self._desk.intake.owner(finding.id)
        if owner is None:
            return [_NOWHERE]
        incident = self._desk.ledger.incident(owner)
        return [name_of(target) for target in self._desk.ledger.routes.targets(incident)]


async def _fine(request: Request) -> Response:
    del request
    return PlainTextResponse("OK")


def read_alert(told: object) -> Alert:
    """Return the alert that ``POST /api/v2/alerts`` tells of.

    Raises:
        InputError: With what was expected.
    """
    if not isinstance(told, dict):
        raise InputError(f"{str(told)[:80]!r} is no alert; write labels and annotations")
    labels = {
        name: value for name, value in _texts(told, "labels", MAX_LABEL_CHARS).items() if value
    }
    if not labels:
        raise InputError("an alert has no label by which it is known; write alertname at least")
    starts_ms = moment_ms(told.get("startsAt"), "startsAt")
    ends_ms = moment_ms(told.get("endsAt"), "endsAt")
    if starts_ms is None:
        starts_ms = ends_ms
    if starts_ms is not None and ends_ms is not None and ends_ms < starts_ms:
        raise InputError("start time must be before end time")
    url = told.get("generatorURL")
    return Alert(
        labels=labels,
        annotations=_texts(told, "annotations", MAX_ANNOTATION_CHARS),
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        generator_url=url[:MAX_LABEL_CHARS] if isinstance(url, str) else "",
    )


def read_webhook_alert(told: object) -> Alert:
    """Return an alert of an Alertmanager's webhook, which tells of its end.

    Raises:
        InputError: With what was expected.
    """
    alert = read_alert(told)
    firing = isinstance(told, dict) and told.get("status") == "firing"
    return Alert(
        labels=alert.labels,
        annotations=alert.annotations,
        starts_ms=alert.starts_ms,
        ends_ms=None if firing else alert.ends_ms or alert.starts_ms or 0,
        generator_url=alert.generator_url,
        lasts_ms=TOLD_ONCE_MS,
    )


def _texts(told: Mapping[str, object], name: str, longest: int) -> dict[str, str]:
    given = told.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MAX_LABELS:
        raise InputError(f"{name!r} must be an object of at most {MAX_LABELS} texts")
    for key, value in given.items():
        if not isinstance(value, str):
            raise InputError(f"{name!r}: {key[:50]!r} must be a text, not {str(value)[:50]!r}")
        if "\0" in key or "\0" in value:
            raise InputError(f"{name!r}: {key[:50]!r} holds NUL, which no database keeps")
        if not key or len(key) > longest or len(value) > longest:
            raise InputError(f"{name!r}: {key[:50]!r} is empty or has over {longest} characters")
    return given


def _names(receivers: JsonValue) -> list[str]:
    rows = receivers if isinstance(receivers, list) else []
    return [str(row["name"]) for row in rows if isinstance(row, dict)]


def _is_asked(row: Json, asked: Parameters) -> bool:
    """Whether an alert in its state is asked for; without a word every state is."""
    status = row["status"]
    state = status if isinstance(status, dict) else {}
    kinds = {
        "silenced": bool(state.get("silencedBy")),
        "inhibited": bool(state.get("inhibitedBy")),
        "active": state.get("state") == "active",
    }
    return not any(it_is and asked.text(kind) == "false" for kind, it_is in kinds.items())


def _pattern(text: str | None) -> Pattern | None:
    if not text:
        return None
    try:
        return Pattern(f"(?:{text})$")
    except PatternError as error:
        raise InputError(f"receiver {text[:80]!r} is no pattern: {error}") from error
