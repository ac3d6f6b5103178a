"""Control routes for chaos: inject and take back, scenarios, the schedule, halt everything."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.chaos.desk import ChaosDesk
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.chaos.injector import Injector
from demo_stack.chassis.errors import LayoutError, PlatformError


class BodyError(PlatformError):
    """A request's body is not what the path takes."""


def chaos_routes(desk: ChaosDesk) -> list[Route]:
    """Return the routes over ``desk``."""
    injector = desk.injector

    async def play(request: Request) -> Response:
        injector.play(await _name(request))
        return Response(status_code=202)

    async def inject(request: Request) -> Response:
        event = await injector.inject(await _name(request))
        return JSONResponse(asdict(event), status_code=201)

    async def take_back(request: Request) -> Response:
        return JSONResponse(asdict(await injector.take_back(request.path_params["name"])))

    async def halt(_request: Request) -> Response:
        return JSONResponse({"ended": await desk.halt()})

    async def schedule(_request: Request) -> Response:
        return JSONResponse(desk.scheduler.state())

    async def begin_schedule(request: Request) -> Response:
        seed, duration_s = await _seed_and_duration(request)
        try:
            return JSONResponse(desk.begin_schedule(seed, duration_s), status_code=202)
        except LayoutError as error:
            raise BodyError(str(error)) from error

    async def end_schedule(_request: Request) -> Response:
        await desk.scheduler.halt()
        return JSONResponse(desk.scheduler.state())

    async def witness(request: Request) -> Response:
        title = (await _object(request)).get("title")
        if not isinstance(title, str):
            raise BodyError('the body must be {"title": <title of an experiment>}')
        return JSONResponse(asdict(injector.witness(title)), status_code=201)

    async def witness_end(request: Request) -> Response:
        return JSONResponse(asdict(injector.witness_end(request.path_params["title"])))

    return [
        Route("/truth", witness, methods=["POST"]),
        Route("/truth/{title:path}", witness_end, methods=["DELETE"]),
        _listing("faults", EXPERIMENTS_DIR, injector),
        _listing("operations", OPERATIONS_DIR, injector),
        _listing("scenarios", SCENARIOS_DIR, injector),
        Route("/scenarios", play, methods=["POST"]),
        Route("/faults", inject, methods=["POST"]),
        Route("/faults", halt, methods=["DELETE"]),
        Route("/faults/{name}", take_back, methods=["DELETE"]),
        Route("/schedule", schedule),
        Route("/schedule", begin_schedule, methods=["POST"]),
        Route("/schedule", end_schedule, methods=["DELETE"]),
    ]


def _listing(key: str, directory: Path, injector: Injector) -> Route:
    names = load_experiments(directory)

    async def answer(_request: Request) -> Response:
        known = [injector.experiments[name] for name in names]
        return JSONResponse({key: [_describe(one, injector) for one in known]})

    return Route(f"/{key}", answer)


async def _object(request: Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise BodyError(f"the body must be an object, not {str(body)[:80]!r}")
    return body


async def _name(request: Request) -> str:
    body = await _object(request)
    if not isinstance(body.get("name"), str):
        raise BodyError('the body must be {"name": <name>}')
    return str(body["name"])


async def _seed_and_duration(request: Request) -> tuple[int, float]:
    body = await _object(request)
    seed, duration_s = body.get("seed"), body.get("duration_s")
    if type(seed) is not int or not isinstance(duration_s, int | float):
        raise BodyError('the body must be {"seed": <integer>, "duration_s": <seconds>}')
    return seed, float(duration_s)


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
        "steps": [action.title for action in experiment.method],
        "step": injector.step_of(experiment.name),
        "start_ms": event.start_ms if event else None,
    }
