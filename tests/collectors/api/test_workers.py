"""Work in threads: what waits, what is sent away, and what is not held up."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.api.answers import answering
from collectors.api.work.running import QueryBounds
from collectors.api.work.workers import Workers
from collectors.errors import CancelledError, OverloadedError, TocsinError, TooCostlyError


def test_work_beyond_threads_and_waiting_room_is_sent_away() -> None:
    """Requests would pile up without end while the first are computed."""
    go = threading.Event()

    async def ask_four() -> list[object]:
        workers = Workers(QueryBounds(concurrency=1, waiting=1))
        tasks = [asyncio.ensure_future(workers.run(lambda: go.wait(10))) for _ in range(4)]
        await asyncio.wait(tasks[2:])
        assert not any(task.done() for task in tasks[:2])
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third, fourth = asyncio.run(ask_four())
    assert (first, second) == (True, True)
    assert isinstance(third, OverloadedError)
    assert isinstance(fourth, OverloadedError)
    assert third.retry_after_s > 0


def test_places_are_free_again_after_failures() -> None:
    """Each failure would take a place for good, until nobody is answered."""

    async def fail_often() -> int:
        workers = Workers(QueryBounds(concurrency=1, waiting=0))
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await workers.run(lambda: 1 // 0)
        return await workers.run(lambda: 42)

    assert asyncio.run(fail_often()) == 42


@pytest.mark.parametrize(
    "error",
    [CancelledError("its client left"), TooCostlyError("too long"), OverloadedError("too many")],
    ids=lambda error: type(error).__name__,
)
def test_what_a_stopped_query_had_goes_with_it(error: TocsinError) -> None:
    """Whoever holds the error would hold every array of the frames that it came through."""

    class Array:
        pass

    left: list[weakref.ref[Array]] = []

    def work() -> None:
        array = Array()
        left.append(weakref.ref(array))
        raise error

    async def stopped() -> BaseException:
        with pytest.raises(type(error)) as caught:
            await Workers(QueryBounds(concurrency=1)).run(work)
        return caught.value

    held = asyncio.run(stopped())
    assert (held, left[0]()) == (error, None)


def test_a_server_that_is_full_says_when_to_come_back() -> None:
    """Clients would retry at once and keep the server full."""
    endpoint = answering(
        lambda _request: PlainTextResponse("never"), Workers(QueryBounds(concurrency=1, waiting=-1))
    )
    answer = TestClient(Starlette(routes=[Route("/", endpoint)])).get("/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["message"].startswith("CircuitBreakerOpenException: ")


def test_the_event_loop_goes_on_while_an_answer_is_computed() -> None:
    """One costly graph would keep every other request waiting."""
    go = threading.Event()

    def slow(request: Request) -> Response:
        del request
        assert go.wait(10)
        return PlainTextResponse("slow")

    async def quick(request: Request) -> Response:
        del request
        go.set()
        return PlainTextResponse("quick")

    app = Starlette(routes=[Route("/slow", answering(slow, Workers())), Route("/quick", quick)])
    with TestClient(app) as client:
        answers: list[str] = []
        waiting = threading.Thread(target=lambda: answers.append(client.get("/slow").text))
        waiting.start()
        assert client.get("/quick").text == "quick"
        waiting.join(timeout=10)
    assert answers == ["slow"]
