"""The fake's silences: kept, extended and ended as asked; every preview hides one finding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing.synthetic import World

JsonObject = dict[str, Any]


class FakeSilences:
    """Keeps silences by id.

    Attributes:
        kept: What Alertmanager's form says of each.
        put: What was asked for, in order.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: dict[str, JsonObject] = {}
        self.put: list[JsonObject] = []

    def routes(self) -> list[Route]:
        """Return what it answers."""
        several, one = "/api/v2/silences", "/api/v2/silence/{id}"
        return [
            Route(several, self._list),
            Route(several, self._put, methods=["POST"]),
            Route(f"{several}/preview", self._preview),
            Route(one, self._one),
            Route(one, self._expire, methods=["DELETE"]),
        ]

    async def _list(self, _: Request) -> Response:
        return JSONResponse([*self.kept.values()])

    async def _one(self, request: Request) -> Response:
        return JSONResponse(self.kept[request.path_params["id"]])

    async def _put(self, request: Request) -> Response:
        body = await request.json()
        self.put.append(body)
        name, _, value = str(body["matchers"][0]).partition("=")
        if not value and not isinstance(body["matchers"][0], dict):
            error = {"type": "error", "message": f"{name!r} is no matcher"}
            return JSONResponse(error, status_code=400)
        known = self.kept.get(body.get("id", ""), {})
        silence = {
            "id": body.get("id") or f"silence-{len(self.kept) + 1}",
            "status": {"state": "active"},
            "matchers": known.get("matchers")
            or [{"name": name, "value": value, "isRegex": False, "isEqual": True}],
            "startsAt": _moment(self.world.now_ms),
            "endsAt": _moment(self.world.now_ms + body["lastsMs"]),
            "updatedAt": _moment(self.world.now_ms),
            "createdBy": body["createdBy"],
            "comment": body["comment"],
        }
        self.kept[silence["id"]] = silence
        return JSONResponse({"silenceID": silence["id"]})

    async def _expire(self, request: Request) -> Response:
        self.kept[request.path_params["id"]]["status"] = {"state": "expired"}
        return Response(status_code=200)

    async def _preview(self, request: Request) -> Response:
        finding = {
            "id": "f1",
            "title": f"*hidden* by {request.query_params['filter']}",
            "urgency": "page",
            "started_ms": self.world.now_ms,
            "labels": {},
        }
        told = {"firing": [finding], "firing_total": 1, "last_day": [], "last_day_total": 0}
        return JSONResponse(told | {"own_not_hidden": 2})


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat()
