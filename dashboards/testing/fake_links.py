"""The fake's public links: made and listed; off until a test turns them on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing.synthetic import INCIDENT_ID, JsonObject

_DAY_MS = 86_400_000


class FakeLinks:
    """Keeps links.

    Attributes:
        longest_days: How long they last at most; 0: there are none.
        kept: Every link, the newest first.
    """

    def __init__(self) -> None:
        self.longest_days = 0.0
        self.kept: list[JsonObject] = []

    def routes(self) -> list[Route]:
        """Return what it answers."""
        path = f"/api/v2/incidents/{INCIDENT_ID}/public-links"
        return [
            Route(path, self._list),
            Route(path, self._make, methods=["POST"]),
            Route(f"{path}/{{number:int}}", self._revoke, methods=["DELETE"]),
        ]

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"longest_days": self.longest_days, "public_links": self.kept})

    async def _make(self, request: Request) -> Response:
        body = await request.json()
        if not self.longest_days:
            told = "public links are off here; `public_link_lasts` turns them on"
            return JSONResponse({"type": "error", "message": told}, status_code=409)
        link: JsonObject = {
            "id": len(self.kept) + 1,
            "incident_id": INCIDENT_ID,
            "made_by": body["actor"],
            "made_ms": 0,
            "until_ms": int(body["days"] * _DAY_MS),
            "revoked_by": "",
            "revoked_ms": None,
            "lives": True,
        }
        self.kept.insert(0, link)
        return JSONResponse(link | {"url": "http://a.test/shared/secret"}, status_code=201)

    async def _revoke(self, request: Request) -> Response:
        number = request.path_params["number"]
        (link,) = [one for one in self.kept if one["id"] == number]
        link |= {"lives": False, "revoked_by": request.query_params["actor"], "revoked_ms": 1}
        return JSONResponse(link)
