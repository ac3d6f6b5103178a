"""Lines as server-sent events, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.api.fetching import CHUNK_COLUMNS, FetchEndpoint
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Fetch, Lines, Window
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.store.metric_store import MetricStore

NOW_MS = 1_325_408_400_000
MINUTE = 60_000

Serve = Callable[[Starlette], AbstractContextManager[str]]


def events(text: str) -> list[dict[str, Any]]:
    parts = text.split("\n\n")
    assert parts[-1] == ""
    assert all(part.startswith("data: ") for part in parts[:-1])
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-1]]


@pytest.fixture(scope="module")
def memory() -> MemoryDatabase:
    database = MemoryDatabase(step_ms=MINUTE)
    for i in range(3):
        values = [float(i * 1000 + j) for j in range(300)]
        start_ms = NOW_MS - 299 * MINUTE
        tags = {"name": "ramp", "node": f"n{i}", "atlas.dstype": "gauge"}
        database.add(tags, start_ms=start_ms, values=values)
    return database


def fetch_app(database: MemoryDatabase, **options: Any) -> Starlette:
    endpoint = FetchEndpoint(database, ManualClock(NOW_MS), Workers(), **options)
    return Starlette(routes=[Route("/api/v2/fetch", endpoint.answer)])


def test_the_parts_put_together_are_the_evaluation_of_the_whole(memory: MemoryDatabase) -> None:
    """A stateful word would begin afresh at each part of a stream."""
    program = "name,ramp,:eq,(,node,),:by,10,1,:rolling-mean,name,ramp,:eq,:sum,:integral"
    client = TestClient(fetch_app(memory))
    answer = client.get("/api/v2/fetch", params={"q": program, "s": "e-200m"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, last = events(answer.text)
    assert last == {"type": "close"}
    assert {line["type"] for line in lines} == {"timeseries"}
    assert max(len(line["data"]["values"]) for line in lines) == CHUNK_COLUMNS
    joined: dict[str, list[float]] = {}
    for line in lines:
        assert (line["end"] - line["start"]) // line["step"] == len(line["data"]["values"])
        joined.setdefault(line["id"], []).extend(float(v) for v in line["data"]["values"])
    window = Window(start_ms=NOW_MS - 199 * MINUTE, end_ms=NOW_MS, step_ms=MINUTE)
    whole = evaluate(program, memory, window)
    np.testing.assert_allclose(np.array(list(joined.values())), whole.values, equal_nan=True)
    first = lines[0]
    assert first["groupByKeys"] == ["node"]
    assert first["tags"] == {"atlas.offset": "0w", "name": "ramp", "node": "n0"}
    assert first["query"].endswith(":rolling-mean")


class SlowDatabase(MemoryDatabase):
    """Waits before every fetch but the first until it is let go."""

    def __init__(self) -> None:
        super().__init__(step_ms=MINUTE)
        self.fetches = 0
        self.go = threading.Event()

    def fetch(self, request: Fetch) -> Lines:
        self.fetches += 1
        if self.fetches > 1:
            assert self.go.wait(20)
        return Lines(tags=[{}], values=np.ones((1, request.window.steps)))


def test_the_first_part_arrives_while_the_next_is_still_computed(serve: Serve) -> None:
    """A client would wait for the whole range, and its proxy give up."""
    database = SlowDatabase()
    with serve(fetch_app(database, heartbeat_s=0.05)) as url, httpx2.Client() as http:
        parameters = {"q": "name,x,:eq", "s": "e-2h"}
        with http.stream("GET", f"{url}/api/v2/fetch", params=parameters) as answer:
            seen = []
            for text in answer.iter_lines():
                if not text:
                    continue
                message = json.loads(text.removeprefix("data: "))
                seen.append(message["type"])
                if message == {"type": "info", "message": "heartbeat"}:
                    database.go.set()
    assert seen[0] == "timeseries"
    assert "info" in seen
    assert seen[-2:] == ["timeseries", "close"]


class BrokenDatabase(MemoryDatabase):
    """Fails in the way it is told to."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(step_ms=MINUTE)
        self.failure = failure

    def fetch(self, request: Fetch) -> Lines:
        del request
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (QueryError("too much"), "IllegalStateException: too much"),
        (
            ZeroDivisionError("secret"),
            "InternalError: the stream could not go on; the server's log has the reason",
        ),
    ],
)
def test_a_failure_within_the_stream_is_its_last_message_but_one(
    failure: Exception, message: str
) -> None:
    """A client would take a broken stream for a complete one."""
    client = TestClient(fetch_app(BrokenDatabase(failure)))
    answer = client.get("/api/v2/fetch?q=name,x,:eq")
    assert events(answer.text) == [{"type": "error", "message": message}, {"type": "close"}]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("", "'q'"),
        ("q=name,:eq", ":eq"),
        ("q=1&s=e-1y&step=1m", "steps"),
        ("q=1&step=nope", "nope"),
    ],
)
def test_what_is_wrong_before_the_stream_begins_is_a_plain_error(
    client: TestClient, query: str, word: str
) -> None:
    """A client would have to read events to learn of a typing error."""
    answer = client.get(f"/api/v2/fetch?{query}")
    assert answer.status_code == 400
    assert word in answer.json()["message"]


def test_every_endpoint_answers_over_a_real_socket(
    store: MetricStore, clock: ManualClock, serve: Serve
) -> None:
    """What works in the test client would fail behind a real server."""
    with serve(api_app(store, None, clock)) as url, httpx2.Client(base_url=url) as http:
        graph = http.get(
            "/api/v1/graph", params={"q": "name,sps,:eq", "s": "e-1m", "format": "json"}
        )
        assert graph.json()["values"] == [[120.0]]
        image = http.get("/api/v1/graph", params={"q": "1", "layout": "image"})
        assert image.content[:4] == b"\x89PNG"
        assert http.get("/api/v1/tags/name").json() == ["range", "sps"]
        assert http.get("/api/v1/expr", params={"q": "1"}).status_code == 200
        assert http.get("/api/v2/traces").json()["type"] == "error"
