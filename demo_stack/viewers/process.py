"""The process that holds the viewers, and its private control endpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.lifeline import announce, settle, until_told_to_stop
from demo_stack.chassis.network import SocketNetwork
from demo_stack.chassis.telemetry import TelemetryPipe, otlp_pipe
from demo_stack.viewers.crowd import Crowd


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewersSpec:
    """What the viewers are started with.

    Attributes:
        routes: Region to service to base URLs.
        rate: Sessions a second in each region.
        day_s: Length of a day, in seconds.
        seed: The platform's seed.
        otlp_endpoint: Base URL that spans and metrics go to.
    """

    routes: dict[str, dict[str, list[str]]]
    rate: float
    day_s: float
    seed: int
    otlp_endpoint: str

    def to_json(self) -> str:
        """Return the spec as one argument for a process."""
        return orjson.dumps(asdict(self)).decode()

    @staticmethod
    def from_json(text: str) -> ViewersSpec:
        """Return what :meth:`to_json` wrote."""
        return ViewersSpec(**orjson.loads(text))


async def run_viewers(spec: ViewersSpec) -> None:
    """Let the viewers come until told to stop."""
    network = SocketNetwork()
    pipe = otlp_pipe(spec.otlp_endpoint)
    crowd = Crowd(network, pipe, spec.seed)
    crowd.populate(list(spec.routes), spec.rate, spec.day_s)
    crowd.route(spec.routes)
    crowd.open()
    settle()
    announce({"control": await network.listen(viewers_control(crowd, pipe))})
    await until_told_to_stop()
    await crowd.close()
    await network.close()
    pipe.close()


def viewers_control(crowd: Crowd, pipe: TelemetryPipe) -> Starlette:
    """Return the application.

    ``PUT /routes``, ``PUT /steer {region, to, ttl_s}``, ``PUT /demand {region, factor}``,
    ``PUT /mute {metrics}``; ``GET /sites``: edge sites as players measure them, best first.
    """

    async def route(request: Request) -> Response:
        crowd.route(await request.json())
        return Response(status_code=204)

    async def steer(request: Request) -> Response:
        body = await request.json()
        crowd.steer(body["region"], body["to"], float(body.get("ttl_s", 0.0)))
        return Response(status_code=204)

    async def demand(request: Request) -> Response:
        body = await request.json()
        crowd.demand(body["region"], float(body["factor"]))
        return Response(status_code=204)

    async def sites(_request: Request) -> Response:
        found = {region: list(map(asdict, ranks)) for region, ranks in crowd.sites().items()}
        return JSONResponse(found)

    async def mute(request: Request) -> Response:
        pipe.muted = frozenset((await request.json())["metrics"])
        return Response(status_code=204)

    async def refuse(_request: Request, error: Exception) -> Response:
        return JSONResponse({"message": str(error)}, status_code=404)

    return Starlette(
        routes=[
            Route("/routes", route, methods=["PUT"]),
            Route("/steer", steer, methods=["PUT"]),
            Route("/demand", demand, methods=["PUT"]),
            Route("/sites", sites),
            Route("/mute", mute, methods=["PUT"]),
        ],
        exception_handlers={LayoutError: refuse},
    )
