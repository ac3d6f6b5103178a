"""The supervisor's control server: status, faults, single actions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.chaos.injector import FaultStateError, Injector, Performer
from demo_stack.platform.errors import LayoutError, PlatformError
from demo_stack.supervisor.changes import ChangeLog
from demo_stack.supervisor.platform import Platform


class BodyError(PlatformError):
    """A request's body is not what the path takes."""


_STATUS = {
    LayoutError: 404,
    FaultStateError: 409,
    BodyError: 400,
    ValueError: 400,
    PlatformError: 502,
}


def control_app(
    platform: Platform, injector: Injector, performer: Performer, changes: ChangeLog
) -> Starlette:
    """Return the application.

    ``GET /status``, ``GET /faults``, ``POST /faults {"name"}``, ``DELETE /faults/{name}``;
    ``GET /operations``; ``GET /scenarios``, ``POST /scenarios {"name"}`` (plays it in the
    background; ``DELETE /faults/{name}`` ends it early); ``GET /changes``; and
    ``POST /actions/{action}`` with the action's arguments. An operation is done and undone like a
    fault.
    """

    async def status(_request: Request) -> Response:
        return JSONResponse({**platform.status(), "faults": sorted(injector.active)})

    def listing(key: str, directory: Path) -> Route:
        names = load_experiments(directory)

        async def answer(_request: Request) -> Response:
            known = [injector.experiments[name] for name in names]
            return JSONResponse({key: [_describe(one, injector) for one in known]})

        return Route(f"/{key}", answer)

    async def play(request: Request) -> Response:
        injector.play(await _name(request))
        return Response(status_code=202)

    async def changed(_request: Request) -> Response:
        return JSONResponse({"changes": [asdict(change) for change in changes.recent()]})

    async def inject(request: Request) -> Response:
        event = await injector.inject(await _name(request))
        return JSONResponse(asdict(event), status_code=201)

    async def take_back(request: Request) -> Response:
        return JSONResponse(asdict(await injector.take_back(request.path_params["name"])))

    async def act(request: Request) -> Response:
        await performer.perform(request.path_params["action"], await request.json())
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/status", status),
            listing("faults", EXPERIMENTS_DIR),
            listing("operations", OPERATIONS_DIR),
            listing("scenarios", SCENARIOS_DIR),
            Route("/scenarios", play, methods=["POST"]),
            Route("/changes", changed),
            Route("/faults", inject, methods=["POST"]),
            Route("/faults/{name}", take_back, methods=["DELETE"]),
            Route("/actions/{action}", act, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(_STATUS, _refuse),
    )


async def _name(request: Request) -> str:
    body = await request.json()
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise BodyError('the body must be {"name": <name>}')
    return str(body["name"])


def _describe(experiment: Experiment, injector: Injector) -> dict[str, Any]:
    event = injector.active.get(experiment.name)
    return {
        "name": experiment.name,
        "title": experiment.title,
        "description": experiment.description,
        "component": experiment.component,
        "scope": experiment.scope,
        "expected_impact": experiment.expected_impact,
        "active": event is not None,
        "start_ms": event.start_ms if event else None,
    }


async def _refuse(_request: Request, error: Exception) -> Response:
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    return JSONResponse({"message": str(error)}, status_code=status)
