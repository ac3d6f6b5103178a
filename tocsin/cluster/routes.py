"""``/api/v2/cluster``: how the cluster stands, what nodes ask each other, and draining."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from collectors.cluster.members import NodeState
from collectors.errors import InputError, StorageError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from tocsin.cluster.opening import WORD_PATH, Cluster
from tocsin.cluster.state import ALONE, cluster_state

CHANGES = "/api/v2/changes"
"""Announced changes are kept in files of each node."""

PATH = "/api/v2/cluster"
MAX_BODY_BYTES = 1_000
"""Of a node's new state."""


def cluster_routes(cluster: Cluster | None) -> list[Route]:
    """Return the routes; without a cluster there is one, and it says so."""
    if cluster is None:
        return [Route(PATH, _alone, methods=["GET"])]
    answers = _Answers(cluster)
    return [
        Route(PATH, answers.status, methods=["GET"]),
        Route(WORD_PATH, answers.word, methods=["GET"]),
        Route(f"{PATH}/nodes/{{name}}/state", answers.set_state, methods=["POST"]),
        Route(f"{PATH}/nodes/{{name}}", answers.remove, methods=["DELETE"]),
    ]


async def _alone(request: Request) -> JSONResponse:
    del request
    return JSONResponse(ALONE)


class _Answers:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def status(self, request: Request) -> JSONResponse:
        """Answer how the cluster stands, as this node knows it."""
        del request
        return JSONResponse(cluster_state(self._cluster))

    async def word(self, request: Request) -> JSONResponse:
        """Answer another node what this one says of itself."""
        if not self._cluster.place.admits(request.headers.get("authorization", "")):
            return _failure(401, "send the token that all nodes have in TOCSIN_CLUSTER_TOKEN")
        return JSONResponse(asdict(self._cluster.word()))

    async def set_state(self, request: Request) -> JSONResponse:
        """Tell a node to drain, or to be active again."""
        try:
            body = read_plain(await request_body(request, MAX_BODY_BYTES))
            state = NodeState(body["state"] if isinstance(body, dict) else "")
        except (InputError, ValueError, KeyError):
            known = ", ".join(repr(state.value) for state in NodeState)
            return _failure(400, f"send an object with a 'state', one of {known}")
        work = partial(self._cluster.agreement.drain, request.path_params["name"], state)
        return await self._changed(request.path_params["name"], work)

    async def remove(self, request: Request) -> JSONResponse:
        """Forget a node that will not come back."""
        name = request.path_params["name"]
        if name == self._cluster.agreement.me:
            return _failure(409, f"{name} is this node: it is here; stop it, and ask another node")
        return await self._changed(name, partial(self._cluster.agreement.remove, name))

    async def _changed(self, name: str, work: partial[bool]) -> JSONResponse:
        try:
            found = await anyio.to_thread.run_sync(work)
        except StorageError as error:
            return _failure(503, error.message)
        if not found:
            return _failure(404, f"there is no node {name[:60]!r}")
        return JSONResponse(cluster_state(self._cluster))


def _failure(status: int, message: str) -> JSONResponse:
    return JSONResponse({"type": "error", "message": message}, status_code=status)
