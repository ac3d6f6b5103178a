"""The fake's runs of runbooks: one step looks, the next one waits for an approval."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.testing.synthetic import World

JsonObject = dict[str, Any]
RUN_ID = "run-0a1b2c3d4e"


class FakeRuns:
    """Keeps at most one run.

    Attributes:
        decided: What was asked of it.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.run: JsonObject | None = None
        self.decided: list[JsonObject] = []

    def routes(self) -> list[Route]:
        """Return what it answers."""
        path = "/api/v2/runbook-runs"
        return [
            Route(path, self._list),
            Route(path, self._begin, methods=["POST"]),
            Route(f"{path}/{{id}}", self._one),
            Route(f"{path}/{{id}}/decisions", self._decide, methods=["POST"]),
        ]

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"runs": [self.run] if self.run else []})

    async def _one(self, _: Request) -> Response:
        return JSONResponse(self.run)

    async def _begin(self, request: Request) -> Response:
        body = await request.json()
        if body.get("dry_run"):
            steps = [_planned("look", "query"), _planned("act", "http")]
            told = [
                {**step, "would": f"{step['kind']} {body['values']}", "problem": ""}
                for step in steps
            ]
            return JSONResponse({**_about(body), "steps": told})
        self.run = {
            **_about(body),
            "id": RUN_ID,
            "title": "Take traffic out of a region",
            "state": "running",
            "text": "",
            "requested_by": body["actor"],
            "reason": body["reason"],
            "created_ms": self.world.now_ms,
            "ended_ms": None,
            "waits_at": ["act"],
            "two_persons": False,
            "values": body["values"],
            "decisions": ["abort"],
            "steps": [
                self._step("look", "query", "succeeded", "0.22", []),
                self._step("act", "http", "waiting", "waits for an approval", ["approve", "skip"]),
            ],
        }
        return JSONResponse(self.run, status_code=201)

    def _step(
        self, step_id: str, kind: str, state: str, text: str, decisions: list[str]
    ) -> JsonObject:
        return _planned(step_id, kind) | {
            "state": state,
            "attempt": 1,
            "text": text,
            "data": {},
            "since_ms": self.world.now_ms,
            "by": "",
            "approval": None,
            "decisions": decisions,
        }

    async def _decide(self, request: Request) -> Response:
        body = await request.json()
        self.decided.append(body)
        if self.run is None:
            return JSONResponse({"type": "error", "message": "there is no run"}, status_code=404)
        ended = "aborted" if body["decision"] == "abort" else "succeeded"
        self.run = self.run | {"state": ended, "decisions": [], "waits_at": []}
        for step in self.run["steps"]:
            step["decisions"] = []
            step["state"] = ended if step["state"] == "waiting" else step["state"]
        return JSONResponse(self.run)


def _about(body: JsonObject) -> JsonObject:
    return {"runbook": body["runbook"], "incident_id": body["incident"]}


def _planned(step_id: str, kind: str) -> JsonObject:
    changes = kind == "http"
    return {
        "id": step_id,
        "title": step_id.capitalize(),
        "kind": kind,
        "detail": "",
        "query": "",
        "command": "",
        "changes": changes,
        "needs_approval": changes,
        "two_persons": False,
        "rollback": "",
    }
