"""HTTP: ``/api/v2/slos``, ``/api/v2/detectors`` (each kind of rules) and ``/api/v2/findings``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, fields
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from anomaly.api.health import health_routes
from anomaly.engine.engine import Engine
from anomaly.evidence.accusing import suspect_words
from anomaly.findings import Finding, NearChange
from anomaly.kinds.table import RULE_KINDS, RuleKind
from anomaly.rules.rule import number
from collectors.api.pages import PageRequest, Place, page_of
from collectors.errors import InputError

_STATES = ("firing", "all")


def anomaly_routes(engine: Engine, kinds: Sequence[RuleKind[Any]] = RULE_KINDS) -> list[Route]:
    """Return the routes that show the engine's state: its rules by kind, and its findings."""

    async def findings(request: Request) -> JSONResponse:
        state = request.query_params.get("state", "firing")
        if state not in _STATES:
            message = f"state must be one of {', '.join(_STATES)}, got {state!r}"
            return JSONResponse({"type": "error", "message": message}, status_code=400)
        try:
            wanted = PageRequest.of(request)
        except InputError as error:
            answer = {"type": "error", "message": error.message}
            return JSONResponse(answer, status_code=error.status)
        return await run_in_threadpool(_findings, engine, state == "all", wanted)

    rules = [Route(f"/api/v2/{kind.name}", _rules_of(engine, kind.name)) for kind in kinds]
    return [*rules, *health_routes(engine), Route("/api/v2/findings", findings)]


def _findings(engine: Engine, resolved: bool, wanted: PageRequest) -> JSONResponse:
    """Return a page of the findings, oldest first, or newest first with those that are over."""
    sign = -1 if resolved else 1

    def place(finding: Finding) -> Place:
        return sign * finding.started_ms, finding.id

    found = page_of(sorted(engine.findings(resolved=resolved), key=place), place, wanted)
    rows = [finding_row(finding) for finding in found.rows]
    return JSONResponse({"findings": rows, "total": found.total, "next_cursor": found.next_cursor})


def _rules_of(engine: Engine, kind: str) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def rules(request: Request) -> JSONResponse:
        del request
        return JSONResponse({kind: await run_in_threadpool(engine.rows, kind)})

    return rules


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON: every field, numbers that JSON can't say as null."""
    row = {field.name: getattr(finding, field.name) for field in fields(finding)}
    for name in ("kind", "state", "urgency"):
        row[name] = row[name].value
    row["scope"] = dict(finding.scope)
    row["observed"] = number(finding.observed)
    row["baseline"] = None if finding.baseline is None else number(finding.baseline)
    row["values"] = {name: number(value) for name, value in finding.values.items()}
    row["exemplar_trace_ids"] = list(finding.exemplar_trace_ids)
    row["suspects"] = [{**asdict(one), "text": suspect_words(one)} for one in finding.suspects]
    row["explained_by"] = dict(finding.explained_by)
    row["changes"] = [change_row(change) for change in finding.changes]
    return row


def change_row(change: NearChange) -> dict[str, Any]:
    """Return a change before a finding as JSON."""
    row = {field.name: getattr(change, field.name) for field in fields(change)}
    return {**row, "scope": dict(change.scope), "relation": change.relation.value}
