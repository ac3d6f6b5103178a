"""HTTP routes of runs: begin one or rehearse it, see how far it is, decide about it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from runbooks.api.commands import MAX_ACTOR, MAX_BODY_BYTES, MAX_TEXT, spoken_for
from runbooks.api.permitting import permit
from runbooks.automation.runbook import Step
from runbooks.automation.running.automation import Automation, Rehearsed
from runbooks.automation.running.deciding import Decision, Verb, possible
from runbooks.automation.state import JsonValue, Run, StepState

Json = dict[str, JsonValue]
MAX_VALUES = 50
"""Values that are said when a run begins."""


class RunRoutes:
    """The endpoints; whatever asks the database runs off the event loop.

    Args:
        automation: What answers.
    """

    def __init__(self, automation: Automation) -> None:
        self._automation = automation

    async def runs(self, request: Request) -> Response:
        """Return the newest runs, all or those of ``incident``."""
        incident_id = request.query_params.get("incident", "")
        found = await run_in_threadpool(self._automation.runner.latest, incident_id)
        return JSONResponse({"runs": [summary(run) for run in found]})

    async def run(self, request: Request) -> Response:
        """Return one run."""
        run_id = request.path_params["id"]
        run = await run_in_threadpool(self._automation.runner.run, run_id)
        return JSONResponse(detail(run))

    async def begin(self, request: Request) -> Response:
        """Begin a run, or with ``dry_run`` say what it would do."""
        body = await _body(request)
        name, incident_id = _text(body, "runbook", 200), _text(body, "incident", 200)
        said = _values(body.get("values"))
        if body.get("dry_run") is True:
            rows = await run_in_threadpool(self._automation.rehearse, name, incident_id, said)
            told = [rehearsal(row) for row in rows]
            return JSONResponse({"runbook": name, "incident_id": incident_id, "steps": told})
        if body.get("dry_run") not in (None, False):
            raise InputError("'dry_run' must be true or false")
        actor = _actor(body, request)
        reason = _text(body, "reason", MAX_TEXT, needed=False)

        def begin() -> Run:
            return self._automation.begin(name, incident_id, said, by=actor, reason=reason)

        run = await run_in_threadpool(begin)
        return JSONResponse(detail(run), status_code=HTTPStatus.CREATED)

    async def decide(self, request: Request) -> Response:
        """Take a person's word about a run."""
        body = await _body(request)
        verb = _text(body, "decision", 50)
        if verb not in {*Verb}:
            raise InputError(f"'decision' {verb[:50]!r} is none of {', '.join(Verb)}")
        permit(request, verb)
        decision = Decision(
            verb=Verb(verb),
            by=_actor(body, request),
            why=_text(body, "reason", MAX_TEXT, needed=False),
            step_id=_text(body, "step", 200, needed=False),
        )
        run_id = request.path_params["id"]
        run = await run_in_threadpool(self._automation.decide, run_id, decision)
        return JSONResponse(detail(run))


async def _body(request: Request) -> Mapping[str, object]:
    parsed = read_plain(await request_body(request, MAX_BODY_BYTES) or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError("the body must be a JSON object")
    return parsed


def _text(body: Mapping[str, object], name: str, longest: int, *, needed: bool = True) -> str:
    value = body.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise InputError(f"{name!r} must be a text")
    if len(value) > longest:
        raise InputError(f"{name!r} has {len(value)} characters; at most {longest}")
    return value.strip()


def _actor(body: Mapping[str, object], request: Request) -> str:
    actor = spoken_for(
        _text(body, "actor", MAX_ACTOR, needed=False), request.scope.get("actor", "")
    )
    if not actor:
        raise InputError("'actor' is missing; say who does it")
    return actor


def _values(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MAX_VALUES:
        raise InputError(f"'values' must be an object of at most {MAX_VALUES} texts")
    if wrong := [name for name, value in given.items() if not isinstance(value, str)]:
        raise InputError(f"the value {wrong[0][:60]!r} must be a text")
    return dict(given)


def summary(run: Run) -> Json:
    """Return a run in a list."""
    waits: list[JsonValue] = [
        one.id
        for one in run.progress.values()
        if run.is_live and one.state in {StepState.WAITING, StepState.UNKNOWN}
    ]
    return {
        "id": run.id,
        "incident_id": run.incident_id,
        "runbook": run.plan.runbook,
        "title": run.plan.title,
        "state": run.state.value,
        "text": run.text,
        "requested_by": run.requested_by,
        "reason": run.reason,
        "created_ms": run.created_ms,
        "ended_ms": run.ended_ms,
        "waits_at": waits,
    }


def detail(run: Run) -> Json:
    """Return all of a run: each step with its result, and what may be decided of it."""
    rows: list[JsonValue] = []
    for step in run.plan.steps:
        rows.append(_step(run, step))
        if step.rollback is not None and step.rollback.id in run.progress:
            rows.append(_step(run, step.rollback))
    known: list[JsonValue] = [verb.value for verb in possible(run)]
    return {
        **summary(run),
        "two_persons": run.plan.two_persons,
        "values": {**run.plan.values},
        "decisions": known,
        "steps": rows,
    }


def _step(run: Run, step: Step) -> Json:
    progress, consent = run.of(step.id), run.of(step.id).approval
    known: list[JsonValue] = [verb.value for verb in possible(run, step.id)]
    return {
        **step_row(step),
        "state": progress.state.value,
        "attempt": progress.attempt,
        "text": progress.text,
        "data": {**progress.data},
        "since_ms": progress.since_ms or None,
        "by": progress.by,
        "approval": {
            "by": consent.by,
            "reason": consent.why,
            "at_ms": consent.at_ms,
            "expires_ms": consent.expires_ms,
        }
        if consent
        else None,
        "decisions": known,
    }


def step_row(step: Step) -> Json:
    """Return what a step is."""
    return {
        "id": step.id,
        "title": step.title,
        "kind": step.kind.value,
        "detail": step.detail,
        "query": step.query,
        "command": step.command,
        "changes": step.changes,
        "needs_approval": step.needs_approval,
        "two_persons": step.two_persons,
        "rollback": step.rollback.title if step.rollback else "",
    }


def rehearsal(row: Rehearsed) -> Json:
    """Return what a step would do."""
    return {**step_row(row.step), "would": row.would, "problem": row.problem}
