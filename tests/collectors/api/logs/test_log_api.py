"""The endpoints that read log records: search, counts, overview, and lines as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from collectors.api.logs.routes import log_routes
from collectors.api.logs.tailing import TailEndpoint
from collectors.clock import ManualClock
from collectors.log_batch import Severity
from collectors.logs import tail as following
from collectors.logs.store import LogStore
from collectors.logs.tail import Tail
from tests.collectors.logs.lines import T0, batch, store_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def client_of(store: LogStore) -> TestClient:
    return TestClient(Starlette(routes=log_routes(store, Tail(), ManualClock(T0 + 60_000))))


def test_a_line_is_answered_with_all_that_is_known_of_it() -> None:
    """A reader could not go from a line to its trace, its service or the next page."""
    store = store_of(
        batch("no stock", trace_id=TRACE, severity=Severity.ERROR, sku="7"), batch("b")
    )
    answer = client_of(store).get("/api/v1/logs?text=stock&severity=warn&attribute=sku:7").json()
    [line] = answer["lines"]
    assert (line["service"], line["severity"], line["trace_id"]) == ("shop", "error", TRACE)
    assert (line["time_ns"], line["time_ms"]) == (str(T0 * 1_000_000), T0)
    assert line["attributes"] == {"sku": "7"}
    assert answer["next"] is None
    page = client_of(store).get("/api/v1/logs?limit=1").json()
    rest = client_of(store).get(f"/api/v1/logs?limit=1&before={page['next']}").json()
    assert {page["lines"][0]["body"], rest["lines"][0]["body"]} == {"no stock", "b"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("severity=loud", "severity"),
        ("attribute=x", "attribute"),
        ("trace_id=xyz", "trace_id"),
        ("before=now", "before"),
        ("limit=0", "limit"),
        ("start_ms=5&end_ms=2", "end_ms"),
        ("text=" + "+".join("abcdefghijklmnopq"), "text"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(query: str, said: str) -> None:
    """A reader would take the answer to another question for theirs."""
    answer = client_of(store_of()).get(f"/api/v1/logs?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_counts_stand_by_time_and_severity() -> None:
    """A burst of errors would look like a busy minute."""
    store = store_of(batch("a", "b", step_ms=1_000), batch("c", severity=Severity.ERROR))
    answer = (
        client_of(store)
        .get(f"/api/v1/logs/histogram?start_ms={T0}&end_ms={T0 + 2_000}&step_ms=1000")
        .json()
    )
    assert (answer["severities"]["info"], answer["severities"]["error"]) == ([1, 1], [1, 0])
    assert answer["total"] == 3
    for query in (f"start_ms=0&end_ms={T0}&step_ms=1", f"step_ms={10**19}", "start_ms=-1"):
        refused = client_of(store).get(f"/api/v1/logs/histogram?{query}")
        assert refused.status_code == 400, query


def test_the_overview_says_what_is_held() -> None:
    """A page of lines could not offer the services that have some."""
    answer = client_of(store_of(batch("a", "b"))).get("/api/v1/logs/services").json()
    assert (answer["services"], answer["lines"], answer["memory_from_ms"]) == (["shop"], 2, 0)


async def _events(tail: Tail, query: bytes, heartbeat_s: float = 0.01) -> AsyncIterator[bytes]:
    request = Request({"type": "http", "query_string": query, "headers": [], "path": "/"})
    response = await TailEndpoint(tail, heartbeat_s=heartbeat_s).answer(request)
    assert isinstance(response, StreamingResponse)
    async for part in response.body_iterator:
        yield bytes(part) if not isinstance(part, str) else part.encode()


def test_who_follows_sees_the_lines_that_match_as_they_come() -> None:
    """A person at a terminal would wait for a line that is there."""

    async def follow() -> list[bytes]:
        tail, seen = Tail(), []
        events = _events(tail, b"text=stock")
        async for event in events:
            if b"event: open" in event:
                tail(batch("no stock", "else"))
            elif b"event: line" in event:
                seen.append(event)
                break
        await events.aclose()  # type: ignore[attr-defined]
        return seen

    [event] = asyncio.run(follow())
    assert event.count(b"event: line") == 1
    assert orjson.loads(event.partition(b"data: ")[2])["body"] == "no stock"


@pytest.mark.parametrize(("bound", "most"), [("LINES", 3), ("CHARS", 3)])
def test_a_slow_reader_is_let_go_and_told(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """One terminal that was forgotten would hold the lines of all services."""
    monkeypatch.setattr(following, f"MAX_FOLLOWED_{bound}", most)

    async def follow() -> list[bytes]:
        tail, seen = Tail(), []
        async for event in _events(tail, b""):
            seen.append(event)
            if b"event: open" in event:
                for _ in range(3):
                    tail(batch("a", "b"))
        assert tail.followers == 0
        return seen

    seen = asyncio.run(follow())
    assert b"event: evicted" in seen[-1]
    assert orjson.loads(seen[-1].partition(b"data: ")[2])["missed"] == 6


def test_a_follower_hears_that_it_is_heard_while_nothing_matches() -> None:
    """Its terminal would give up on a server that has nothing for it but is busy."""

    async def follow() -> list[bytes]:
        tail, seen = Tail(), []
        events = _events(tail, b"text=rare", heartbeat_s=0)
        async for event in events:
            seen.append(event)
            tail(batch("frequent"))
            if len(seen) == 3:
                break
        await events.aclose()  # type: ignore[attr-defined]
        return seen

    assert [event.split()[1] for event in asyncio.run(follow())] == [
        b"open",
        b"heartbeat",
        b"heartbeat",
    ]


def test_what_a_follower_can_not_be_told_by_is_refused() -> None:
    """Whoever follows one pattern would get every line and take it for that."""
    answer = client_of(store_of()).get("/api/v1/logs/tail?pattern=0badc0de")
    assert answer.status_code == 400
    assert "pattern" in answer.text


def test_only_so_many_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that opens a stream a second would take the server down."""
    monkeypatch.setattr(following, "MAX_FOLLOWERS", 0)
    answer = client_of(store_of()).get("/api/v1/logs/tail")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
