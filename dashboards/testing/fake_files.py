"""A configuration directory for the fake API: what was drafted and written is kept as it came."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing.synthetic import JsonObject

_PATH = "/api/v2/configuration"


class FakeFiles:
    """Answers ``/api/v2/configuration``.

    Attributes:
        why_not: Why nothing can be written; empty: it can.
        written: Texts by kind and name.
    """

    def __init__(self) -> None:
        self.why_not = ""
        self.written: dict[str, str] = {}

    def reset(self) -> None:
        """Forget what was written; files can be written again."""
        self.why_not = ""
        self.written.clear()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(_PATH, self._state, methods=["GET"]),
            Route(f"{_PATH}/drafts", self._draft, methods=["POST"]),
            Route(f"{_PATH}/{{kind}}/{{name}}", self._write, methods=["PUT"]),
        ]

    async def _state(self, request: Request) -> Response:
        del request
        kinds = ["dashboard", "detector", "inspection"]
        return JSONResponse({"writable": not self.why_not, "why_not": self.why_not, "kinds": kinds})

    async def _draft(self, request: Request) -> Response:
        wish: JsonObject = await request.json()
        text = "\n".join(f"{key}: {value}" for key, value in wish.items())
        problem = {"file": "ops/x.yaml", "line": 7, "field": "spec.above"}
        problem["message"] = "give either above or below"
        lacking = wish["kind"] == "inspection" and wish.get("above") is wish.get("below")
        return JSONResponse(
            {
                "kind": wish["kind"],
                "name": wish["name"],
                "path": f"{wish['kind']}s/{wish['name']}.yaml",
                "text": text,
                "replaces": "",
                "problems": [problem] * lacking,
            }
        )

    async def _write(self, request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        self.written[f"{kind}s/{name}.yaml"] = (await request.json())["text"]
        return JSONResponse(
            {
                "path": f"{kind}s/{name}.yaml",
                "directory": "ops",
                "read_ms": 1,
                "refused": False,
                "changes": [f"{kind} {name} added"],
                "problems": [],
            }
        )
