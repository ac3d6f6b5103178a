"""The fake's answers about people, alerts, the machine and the public, with what is asked for."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing.operations import alerts, machine, on_call, public
from dashboards.testing.synthetic import JsonObject, World

Answer = Callable[[Request], Response]


class FakeOperations:
    """Keeps the overrides that were asked for and what was published.

    Attributes:
        overrides: Overrides by number.
        published: Bodies of what was published, in order.
    """

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world
        self.overrides: dict[int, JsonObject] = {}
        self.published: list[JsonObject] = []

    def reset(self) -> None:
        """Forget what was asked for."""
        self.overrides.clear()
        self.published.clear()

    def answers(self) -> dict[str, Answer]:
        """Return what it answers to GET, by path."""
        world = self._world
        told: dict[str, Callable[[Request], object]] = {
            "/api/v2/alerts": lambda _: alerts.alerts(world()),
            "/api/v2/finding-decisions": lambda _: {"decisions": alerts.decisions(world())},
            "/api/v2/inspections": lambda _: {"inspections": alerts.inspections(world())},
            "/api/v2/incident-report": lambda asked: alerts.report(world(), _days(asked, 30)),
            "/api/v2/oncall": lambda asked: on_call.oncall(world(), _days(asked, 14)),
            "/api/v2/escalations": lambda _: {"escalations": on_call.escalations(world())},
            "/api/v2/oncall/overrides": lambda _: {"overrides": [*self.overrides.values()]},
            "/api/v2/capacity": lambda _: machine.capacity(world()),
            "/api/v2/forecast": lambda asked: machine.forecast(world(), asked.query_params["q"]),
            "/api/v2/cluster": lambda _: machine.cluster(world()),
            "/api/v2/settings": lambda _: {"settings": machine.settings()},
            "/api/v2/status-page": lambda _: public.status_page(world()),
        }
        return {path: _said(answer) for path, answer in told.items()}

    def routes(self) -> list[Route]:
        """Return what it does when it is asked to."""
        overrides, page = "/api/v2/oncall/overrides", "/api/v2/status-page"
        return [
            Route(overrides, self._override, methods=["POST"]),
            Route(f"{overrides}/{{id:int}}", self._cancel, methods=["DELETE"]),
            Route(f"{page}/incidents", self._publish, methods=["POST"]),
            Route(f"{page}/notices/{{id:int}}/updates", self._publish, methods=["POST"]),
        ]

    async def _override(self, request: Request) -> Response:
        body = await request.json()
        if not body["schedule"]:
            told = {"type": "error", "message": "no schedule is called ''"}
            return JSONResponse(told, status_code=404)
        number = len(self.overrides) + 1
        made = {key: body[key] for key in ("schedule", "person", "start_ms", "end_ms", "reason")}
        made |= {"id": number, "made_by": body["actor"], "made_ms": self._world().now_ms}
        self.overrides[number] = made
        return JSONResponse(made, status_code=201)

    async def _cancel(self, request: Request) -> Response:
        number = request.path_params["id"]
        self.overrides.pop(number, None)
        return JSONResponse({"cancelled": number})

    async def _publish(self, request: Request) -> Response:
        self.published.append(await request.json())
        return JSONResponse(public.status_page(self._world())["notices"][0], status_code=201)


def _said(answer: Callable[[Request], object]) -> Answer:
    return lambda request: JSONResponse(answer(request))


def _days(request: Request, usual: int) -> int:
    return int(request.query_params.get("days", usual))
