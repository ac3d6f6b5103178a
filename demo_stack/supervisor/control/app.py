"""The supervisor's control server: status, faults, single actions."""

from __future__ import annotations

from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.chaos.desk import ChaosDesk
from demo_stack.chaos.injector import FaultStateError, Performer
from demo_stack.chaos.routes import BodyError, chaos_routes
from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.running import RunningPlatform

_STATUS = {
    LayoutError: 404,
    FaultStateError: 409,
    BodyError: 400,
    ValueError: 400,
    PlatformError: 502,
}


def control_app(
    platform: RunningPlatform, chaos: ChaosDesk, performer: Performer, changes: ChangeLog
) -> Starlette:
    """Return the application.

    ``GET /status``, ``GET /faults``, ``POST /faults {"name"}``, ``DELETE /faults/{name}``,
    ``DELETE /faults`` (halts everything); ``GET /operations``; ``GET /scenarios``,
    ``POST /scenarios {"name"}`` (plays it in the background; ``DELETE /faults/{name}`` ends it
    early); ``GET /schedule``, ``POST /schedule {"seed", "duration_s"}``, ``DELETE /schedule``;
    ``GET /changes``; and ``POST /actions/{action}`` with the action's arguments. An operation is
    done and undone like a fault.
    """

    async def status(_request: Request) -> Response:
        injector = chaos.injector
        going_on = {
            "faults": sorted(injector.active),
            "playing": sorted(injector.busy - injector.active.keys()),
        }
        return JSONResponse({**platform.status(), **going_on})

    async def changed(_request: Request) -> Response:
        return JSONResponse({"changes": [asdict(change) for change in changes.recent()]})

    async def act(request: Request) -> Response:
        await performer.perform(request.path_params["action"], await request.json())
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/status", status),
            *chaos_routes(chaos),
            Route("/changes", changed),
            Route("/actions/{action}", act, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(_STATUS, _refuse),
    )


async def _refuse(_request: Request, error: Exception) -> Response:
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    return JSONResponse({"message": str(error)}, status_code=status)
