"""Queries that run are listed, stopped by operators, and by their clients' going."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.api.answers import answering
from collectors.api.queries import query_routes
from collectors.api.work.running import QueryBounds
from collectors.api.work.workers import Workers
from collectors.budget import look
from collectors.errors import CancelledError


class Endless:
    """An answer that computes until its query is stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def __call__(self, request: Request) -> Response:
        """Look at the budget again and again."""
        del request
        try:
            while True:
                look()
                self.begun.set()
        finally:
            self.ended.set()


def test_a_running_query_is_listed_and_stopped() -> None:
    """An operator would have to end the server to end a query."""
    endless, workers = Endless(), Workers()
    routes = [Route("/api/v1/graph", answering(endless, workers)), *query_routes(workers.queries)]
    with TestClient(Starlette(routes=routes)) as client:
        answers: list[Response] = []
        asking = threading.Thread(
            target=lambda: answers.append(client.get("/api/v1/graph?q=:true"))  # type: ignore[arg-type]
        )
        asking.start()
        assert endless.begun.wait(10)
        (listed,) = client.get("/api/v1/queries").json()["queries"]
        told = {key: listed[key] for key in ("id", "state", "path", "query", "timeout_s")}
        assert told == {
            "id": 1,
            "state": "running",
            "path": "/api/v1/graph",
            "query": "q=:true",
            "timeout_s": 30.0,
        }
        assert client.delete("/api/v1/queries/1").json()["id"] == 1
        asking.join(10)
        assert answers[0].status_code == 409
        assert "an operator stopped it" in answers[0].text  # type: ignore[attr-defined]
        assert client.get("/api/v1/queries").json() == {"queries": []}


@pytest.mark.parametrize("number", ["1", "x", "9" * 4_000, "%D9%A1"])
def test_there_is_no_such_query(number: str) -> None:
    """A query that was answered a moment ago would be a server's error."""
    client = TestClient(Starlette(routes=query_routes(Workers().queries)))
    assert client.delete(f"/api/v1/queries/{number}").status_code == 404


def test_a_query_stops_when_its_client_goes() -> None:
    """Reloading a page with a slow graph would add one more computation each time."""
    endless, workers = Endless(), Workers()

    async def ask_and_leave() -> None:
        left = asyncio.Event()

        async def gone() -> None:
            await left.wait()

        work = asyncio.ensure_future(workers.run(lambda: endless(None), gone=gone))  # type: ignore[arg-type]
        await asyncio.to_thread(endless.begun.wait, 10)
        left.set()
        with pytest.raises(CancelledError, match="client went away"):
            await work

    asyncio.run(ask_and_leave())
    assert endless.ended.wait(10)
    assert workers.queries.all() == []


def test_a_query_out_of_time_is_answered_with_the_limit() -> None:
    """A stranger's query would take a thread for as long as it likes."""
    bounds = QueryBounds(timeout_s=0.05)
    app = Starlette(routes=[Route("/", answering(Endless(), Workers(bounds)))])
    answer = TestClient(app).get("/")
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("ResourceLimitException: the query took longer")


def test_a_small_query_is_answered_beside_large_ones() -> None:
    """As many slow queries as compute at once would keep everybody else waiting."""
    endless, workers = Endless(), Workers(QueryBounds(processors=1))
    routes = [
        Route("/slow", answering(endless, workers)),
        Route("/small", answering(lambda _: PlainTextResponse("small"), workers)),
        *query_routes(workers.queries),
    ]
    with TestClient(Starlette(routes=routes)) as client:
        slow = threading.Thread(target=lambda: client.get("/slow"))
        slow.start()
        assert endless.begun.wait(10)
        assert client.get("/small").text == "small"
        assert not endless.ended.is_set()
        client.delete("/api/v1/queries/1")
        slow.join(10)
