"""The made-up post-mortem as people write it: sections, stages, action items."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing import papers
from dashboards.testing.synthetic import JsonObject, World

_PAPER = "/api/v2/incidents/{id}/post-mortem"


class FakePapers:
    """Takes what is written, and says it with the next answer.

    Args:
        world: What the rest is answered from.

    Attributes:
        texts: Sections by name: who wrote, what, in which revision.
        put: What was sent, oldest first.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.texts: dict[str, tuple[str, str, int]] = {}
        self.put: list[JsonObject] = []

    def routes(self) -> list[Route]:
        """Return the routes that change something."""
        return [
            Route(f"{_PAPER}/sections/{{name}}", self._edit, methods=["PUT"]),
            Route(f"{_PAPER}/stage", self._move, methods=["POST"]),
            Route("/api/v2/incidents/{id}/action-items", self._add, methods=["POST"]),
            Route("/api/v2/action-items/{number:int}", self._add, methods=["POST"]),
        ]

    def whole(self) -> JsonObject:
        """Return the post-mortem with what was written."""
        found = papers.whole(self.world)
        for section in found["sections"]:
            if section["name"] in self.texts:
                author, text, revision = self.texts[section["name"]]
                section |= {"author": author, "text": text, "revision": revision}
        return found

    async def _edit(self, request: Request) -> Response:
        body = await request.json()
        self.put.append(body)
        name = request.path_params["name"]
        revision = self.texts[name][2] if name in self.texts else 1
        if body["revision"] != revision:
            told = f"revision {revision} was written meanwhile; read it first"
            return JSONResponse({"type": "error", "message": told}, status_code=409)
        self.texts[name] = (body["actor"], body["text"], revision + 1)
        return JSONResponse(self.whole())

    async def _move(self, request: Request) -> Response:
        body = await request.json()
        self.put.append(body)
        told = "it can't be reviewed while blanks remain: What went well"
        return JSONResponse({"type": "error", "message": told}, status_code=409)

    async def _add(self, request: Request) -> Response:
        body = await request.json()
        self.put.append(body)
        return JSONResponse(papers.action(3, body.get("title", ""), due="", overdue=False))
