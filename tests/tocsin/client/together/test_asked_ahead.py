"""Questions asked ahead: one request for many; what is unchanged is kept, what is old dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collectors.api.together.routes import together_routes
from tests.collectors.api.conftest import served
from tocsin.client.client import ApiClient
from tocsin.client.errors import AnswerError, UnreachableError
from tocsin.client.together.known import Known
from tocsin.client.together.transport import Together

A, B, BAD, TEXT = "/api/n/a", "/api/n/b", "/api/bad", "/api/text"


class Server:
    """Counts requests; questions that came together came in one."""

    def __init__(self, *, knows: bool = True) -> None:
        self.values = {"a": 1, "b": 2}
        self.asked: list[str] = []
        routes = [
            Route("/api/n/{name}", self._value),
            Route(BAD, lambda _: JSONResponse({"message": "no such word"}, 400)),
            Route(TEXT, lambda _: PlainTextResponse("text")),
            *(together_routes(lambda: self.app) if knows else ()),
        ]
        self.app = Starlette(routes=routes)

    def _value(self, request: Request) -> Response:
        return JSONResponse({"value": self.values[request.path_params["name"]]})

    @property
    def counting(self) -> Starlette:
        """What counts and answers."""
        counted = Starlette()

        async def app(scope: object, receive: object, send: object) -> None:
            self.asked.append(scope["path"])  # type: ignore[index]
            await self.app(scope, receive, send)  # type: ignore[arg-type]

        counted.mount("/", app)
        return counted


class Asker:
    """A transport on a clock of its own."""

    def __init__(self, url: str) -> None:
        self.now_s = 100.0
        self.transport = Together(url, timeout_s=20, now_s=lambda: self.now_s)

    def value(self, path: str) -> object:
        """Return what is answered."""
        return self.transport.get(path)["value"]


@pytest.fixture(name="server")
def _server() -> Server:
    return Server()


@pytest.fixture(name="asker")
def _asker(server: Server) -> Iterator[Asker]:
    with served(server.counting) as url:
        asker = Asker(url)
        yield asker
        asker.transport.close()


def test_what_was_asked_ahead_is_not_asked_again(server: Server, asker: Asker) -> None:
    """A page of fifteen charts would make sixteen requests."""
    asker.transport.ahead([A, B, A])
    with asker.transport.noting() as noted:
        assert [asker.value(A), asker.value(B)] == [1, 2]
    assert (noted, server.asked) == ([A, B], ["/api/v2/together"])
    server.values["a"] = 3
    assert asker.value(A) == 3  # each answer counts once
    assert server.asked == ["/api/v2/together", A]


def test_what_changed_is_told_and_the_rest_is_kept(server: Server, asker: Asker) -> None:
    """An unchanged answer would be taken for none, or a changed one be missed."""
    for value in (1, 7):
        server.values["a"] = value
        asker.transport.ahead([A, B])
        assert [asker.value(A), asker.value(B)] == [value, 2]
    assert server.asked == ["/api/v2/together"] * 2


def test_one_that_is_refused_fails_alone(asker: Asker) -> None:
    """A mistyped expression would leave the whole page empty."""
    asker.transport.ahead([A, BAD])
    assert asker.value(A) == 1
    with pytest.raises(AnswerError, match="no such word") as raised:
        asker.transport.get(BAD)
    assert raised.value.status == 400


def test_what_nobody_asked_for_grows_old_and_is_left_out(server: Server, asker: Asker) -> None:
    """A page would show what was, or have asked for ever what is no longer drawn."""
    asker.transport.ahead([A, B])
    asker.now_s += 5
    server.values["a"] = 9
    assert not asker.transport.has([A])
    assert asker.value(A) == 9
    asker.transport.ahead([A, B])
    assert server.asked == ["/api/v2/together", A]  # B was not wanted, A alone is asked when it is
    asker.value(B)
    asker.transport.ahead([A, B])
    assert asker.transport.has([A, B])
    asker.transport.forget()
    assert not asker.transport.has([A])


def test_what_is_no_json_is_asked_by_itself(server: Server, asker: Asker) -> None:
    """A text would be read as a number, or asked twice at each tick."""
    asker.transport.ahead([A, TEXT])
    with asker.transport.noting() as noted:
        assert asker.transport.text(TEXT) == "text"
    assert (noted, server.asked) == ([], ["/api/v2/together", TEXT])


def test_an_older_server_is_asked_one_by_one() -> None:
    """A dashboard that is newer than its server would show nothing."""
    server = Server(knows=False)
    with served(server.counting) as url:
        asker = Asker(url)
        for _ in range(2):
            asker.transport.ahead([A, B])
            assert [asker.value(A), asker.value(B)] == [1, 2]
        assert server.asked == ["/api/v2/together", A, B, A, B]
        asker.transport.close()


def test_two_tabs_bring_it_once(server: Server, asker: Asker) -> None:
    """Ten people who watch would be ten times the work."""
    tabs = [threading.Thread(target=asker.transport.ahead, args=([A, B],)) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(20)
    assert server.asked == ["/api/v2/together"]


def test_nobody_there_is_said(server: Server) -> None:
    """Each panel would wait for a timeout of its own."""
    with served(server.app) as url:
        pass
    asker = Asker(url)
    with pytest.raises(UnreachableError):
        asker.transport.ahead([A, B])


def test_what_is_known_is_bounded(asker: Asker) -> None:
    """A dashboard that runs for weeks would keep every answer that it ever had."""
    answers = [asker.transport.send("GET", path) for path in (A, B)]
    known = Known(most_bytes=len(answers[0].content))
    for url, answer in zip((A, B), answers, strict=True):
        known.put(url, answer)
    assert (known.get(A), known.get(B)) == (None, answers[1])
    assert known.version(A) == ""


def test_a_client_asks_through_it(server: Server, asker: Asker) -> None:
    """Typed calls would pass by what was brought for them."""
    client = ApiClient("http://unused.invalid", transport=asker.transport)
    server.app.routes.insert(0, Route("/api/v2/slos", lambda _: JSONResponse({"slos": []})))
    asker.transport.ahead(["/api/v2/slos", A])
    assert client.slos() == []
    assert server.asked == ["/api/v2/together"]
