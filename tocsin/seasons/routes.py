"""``GET /api/v2/seasons``: which season each detector follows that names none, and why."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from anomaly.rules.detector_rule import DetectorRule
from tocsin.configuration.reloading import Reloader
from tocsin.seasons.keeping import kept_seasons, wants_season

_NOT_YET = "not looked for yet"


def season_route(reloader: Reloader, data_dir: Path) -> Route:
    """Return the route; one row for each detector that leaves its season open."""

    async def answer(request: Request) -> Response:
        del request
        known = await run_in_threadpool(kept_seasons, data_dir)
        names = [
            one.name
            for one in reloader.configuration.definitions.get(DetectorRule.kind, ())
            if wants_season(one)
        ]
        rows = [
            {"detector": name, **asdict(known[name])}
            if name in known
            else {"detector": name, "hours": 0, "words": _NOT_YET}
            for name in names
        ]
        return JSONResponse({"seasons": rows})

    return Route("/api/v2/seasons", answer, methods=["GET"])
