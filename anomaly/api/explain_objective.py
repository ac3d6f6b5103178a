"""``GET /api/v2/slos/{name}/explain``: why an objective fired at a moment, or did not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.api.objective_explained import explained
from anomaly.engine.engine import Engine
from anomaly.rules.objective_rule import ObjectiveRule
from collectors.api.answers import answering, json_response
from collectors.api.graph_request import read_zones
from collectors.api.parameters import Parameters
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.errors import NotFoundError
from collectors.stacklang.text.times import parse_times


def explain_objective_routes(
    engine: Engine, clock: Clock, workers: Workers | None = None
) -> list[Route]:
    """Return the route that explains an objective.

    Args:
        engine: Watches it, and can go through the past again.
        clock: What ``now`` means.
        workers: Threads to work in; own ones if None.
    """

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        rule = engine.rule(ObjectiveRule.kind, name)
        if not isinstance(rule, ObjectiveRule):
            raise NotFoundError(f"no objective is called {name!r}; /api/v2/slos lists them")
        parameters = Parameters.of(request)
        zone, now_ms = read_zones(parameters)[0], clock.now_ms()
        at_ms = parse_times("e-1s", parameters.text("at") or "now", now_ms, zone)[1]
        return json_response(explained(engine.replayed(rule.afresh(), at_ms), at_ms))

    path = "/api/v2/slos/{name:path}/explain"
    return [Route(path, answering(answer, workers or Workers()), methods=["GET"])]
