"""Many questions in one request: each answered, versioned and refused as if it had come alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from collectors.api.app import api_app
from collectors.api.together import routes as limits
from collectors.api.together.asked import MAX_QUESTIONS, Question, read_questions
from collectors.api.together.routes import PATH, together_routes
from collectors.clock import ManualClock
from collectors.errors import InputError
from collectors.store.metric_store import MetricStore

Serve = Callable[[Starlette], AbstractContextManager[str]]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[", "not JSON"),
        (b"[]", "the body must be"),
        (b'{"questions": 7}', "the body must be"),
        (b'{"questions": ["/api/v1/tags"]}', "question 0 must be"),
        (b'{"questions": [{"get": "/api/a"}, {"get": 7}]}', "question 1 must be"),
        (b'{"questions": [{"get": "/shared/x"}]}', "a path below /api/"),
        (b'{"questions": [{"get": "http://else/api/"}]}', "a path below /api/"),
        ('{"questions": [{"get": "/api/\u00fc"}]}'.encode(), "percent-encoded"),
        (b'{"questions": [{"get": "/api/a", "known": "\\r\\nX: y"}]}', "no version"),
        (json.dumps({"questions": [{"get": "/api/a"}] * (MAX_QUESTIONS + 1)}).encode(), "at most"),
        (json.dumps({"questions": [{"get": "/api/a?" + "q" * 40_000}]}).encode(), "characters"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(body: bytes, told: str) -> None:
    """A header could be smuggled in, or one request could keep the server busy for minutes."""
    with pytest.raises(InputError, match=told):
        read_questions(body)


def test_questions_are_read_as_they_would_have_come() -> None:
    """A quoted comma or slash would become another question."""
    body = json.dumps({"questions": [{"get": "/api/v1/tags/a%2Fb?q=a%2Cb"}, {"get": "/health"}]})
    assert read_questions(body.encode()) == [
        Question(path="/api/v1/tags/a%2Fb", query="q=a%2Cb", known=""),
        Question(path="/health", query="", known=""),
    ]


def asked(url: str, *questions: str | tuple[str, str], **headers: str) -> list[tuple[Any, Any]]:
    """Return what is told of each question, and its body."""
    rows = [q if isinstance(q, tuple) else (q, "") for q in questions]
    body = {"questions": [{"get": get, "known": known} for get, known in rows]}
    answer = httpx2.post(url + PATH, json=body, headers=headers, timeout=20, trust_env=False)
    assert answer.status_code == 200, answer.text
    lines = answer.content.split(b"\n")
    pairs = zip(lines[::2], lines[1::2], strict=False)
    return [(json.loads(head), json.loads(body) if body else None) for head, body in pairs]


@pytest.fixture(name="graphs")
def _graphs(store: MetricStore, clock: ManualClock) -> Starlette:
    routes = together_routes(lambda: app)
    app = api_app(store, None, clock, extra_routes=routes)
    return app


def test_charts_come_together_and_fail_alone(graphs: Starlette, serve: Serve) -> None:
    """One mistyped chart would take all others of the page with it."""
    graph = "/api/v1/graph?q=name%2Csps%2C%3Aeq%2C{}&s=e-15m&format=std.json"
    with serve(graphs) as url:
        alone = httpx2.get(url + graph.format("%3Asum"), trust_env=False).json()
        first = asked(
            url, graph.format("%3Asum"), graph.format("%3Ano-such-word"), "/api/v1/nothing"
        )
        (good, body), (bad, reason), (missing, _) = first
        assert (good["status"], body) == (200, alone)
        assert (bad["status"], missing["status"]) == (400, 404)
        assert "no-such-word" in reason["message"]
        (again, nothing), (other, whole) = asked(
            url, (graph.format("%3Asum"), good["version"]), (graph.format("%3Amax"), "0a")
        )
        assert again == {"status": 304, "version": good["version"]}
        assert nothing is None
        assert (other["status"], len(whole["values"])) == (200, len(alone["values"]))


def test_the_next_page_of_a_list_is_told(graphs: Starlette, serve: Serve) -> None:
    """A list of more than a page would end after the first."""
    with serve(graphs) as url:
        ((told, values),) = asked(url, "/api/v1/tags/item?limit=5")
    assert (told["headers"], len(values)) == ({"x-nflx-atlas-next-offset": "04"}, 5)


async def _stream(_: Request) -> Response:
    async def endless() -> Any:
        while True:
            yield b"data: {}\n\n"

    return StreamingResponse(endless(), media_type="text/event-stream")


async def _slow(_: Request) -> Response:
    await anyio.sleep_forever()
    return Response()


async def _broken(_: Request) -> Response:
    raise RuntimeError("a defect")


async def _whose(request: Request) -> Response:
    return JSONResponse({"who": request.headers.get("authorization"), "m": request.method})


async def _own_version(request: Request) -> Response:
    known = request.headers.get("if-none-match") == '"v7"'
    return Response(status_code=304) if known else JSONResponse({}, headers={"ETag": '"v7"'})


@pytest.fixture(name="strange")
def _strange() -> Starlette:
    routes = [
        Route("/api/stream", _stream),
        Route("/api/slow", _slow),
        Route("/api/broken", _broken),
        Route("/api/whose", _whose),
        Route("/api/own", _own_version),
        Route("/api/text", lambda _: PlainTextResponse("x")),
        Route("/api/large", lambda _: JSONResponse("x" * 5_000)),
        *together_routes(lambda: app, within_s=1.0),
    ]
    app = Starlette(routes=routes)
    return app


def test_whatever_one_question_does_the_others_are_answered(
    strange: Starlette, serve: Serve
) -> None:
    """A stream, a defect or a query without an end would hold up the page."""
    with serve(strange) as url:
        told = asked(
            url, "/api/stream", "/api/slow", "/api/broken", "/api/text", "/api/whose",
            Authorization="Bearer t",
        )  # fmt: skip
    assert [head["status"] for head, _ in told] == [406, 504, 500, 406, 200]
    assert told[-1][1] == {"who": "Bearer t", "m": "GET"}
    assert "within 1 s" in told[1][1]["message"]


def test_an_answers_own_version_counts(strange: Starlette, serve: Serve) -> None:
    """The war room's screen would be sent whole at each tick, for its clock moves."""
    with serve(strange) as url:
        told = asked(url, "/api/own", ("/api/own", "v7"))
    assert [(head["status"], head["version"]) for head, _ in told] == [(200, "v7"), (304, "v7")]


def test_all_answers_together_are_bounded(
    strange: Starlette, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred large answers would be held in memory at once."""
    monkeypatch.setattr(limits, "MAX_TOLD_BYTES", 8_000)
    with serve(strange) as url:
        told = asked(url, "/api/large", "/api/large", "/api/whose")
    assert sorted(head["status"] for head, _ in told) == [200, 200, 413]


def test_who_goes_away_leaves_no_work_behind() -> None:
    """Pages that are closed while the server is slow would keep it busy."""
    assert anyio.run(_left) == ["begun", "ended"]


async def _left() -> list[str]:
    begun, done = anyio.Event(), list[str]()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        done.append("begun")
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            done.append("ended")

    (route,) = together_routes(lambda: app, within_s=60)
    body = json.dumps({"questions": [{"get": "/api/a"}]}).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        return

    with anyio.fail_after(20):
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": []}
        await route.app(scope, receive, send)
    return done
