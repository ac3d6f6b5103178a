"""``POST /api/v2/together``: many questions in one request, each answered as if it came alone.

A page of fifteen charts asks once a tick. Each question is judged, bounded and may fail by itself;
what has not changed since it was known is told by its version alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from collectors.api.answers import UNEXPECTED, error_response
from collectors.api.together.answering import Answered, answered, failed, too_large
from collectors.api.together.asked import Question, read_questions
from collectors.errors import TocsinError
from collectors.receivers.body import request_body

PATH = "/api/v2/together"
MAX_ASKED_BYTES = 512 << 10
"""The body that asks."""

MAX_TOLD_BYTES = 16 << 20
"""All answers of one request."""

WITHIN_S = 2.5
_AT_ONCE = 4
_LINES = "application/x-ndjson"


def together_routes(app: Callable[[], ASGIApp], within_s: float = WITHIN_S) -> list[Route]:
    """Return the route that answers many questions at once.

    Args:
        app: Returns what answers each, gate and all.
        within_s: What is not answered by then is told to be late; the others are not.
    """

    async def answer(request: Request) -> Response:
        try:
            questions = read_questions(await request_body(request, MAX_ASKED_BYTES))
        except TocsinError as error:
            return error_response(error)
        told = await _all(app(), request, questions, within_s)
        return Response(b"".join(one.lines() for one in told), media_type=_LINES)

    return [Route(PATH, answer, methods=["POST"])]


async def _all(
    app: ASGIApp, request: Request, questions: Sequence[Question], within_s: float
) -> list[Answered]:
    """Return all answers in the order of the questions, a few at work at a time."""
    turns, room = asyncio.Semaphore(_AT_ONCE), [MAX_TOLD_BYTES]

    async def one(question: Question) -> Answered:
        async with turns:
            found = await answered(app, request.scope, question, room[0])
            # Others may have filled it meanwhile.
            if len(found.body) > room[0]:
                return too_large()
            room[0] -= len(found.body)
            return found

    tasks = [asyncio.create_task(one(question)) for question in questions]
    gone = asyncio.create_task(_gone(request))
    gone.add_done_callback(partial(_left, tasks))
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
    finally:
        gone.cancel()
        _cancel(tasks)
    await asyncio.gather(*tasks, return_exceptions=True)
    return [_result(task, within_s) for task in tasks]


def _result(task: asyncio.Task[Answered], within_s: float) -> Answered:
    if task.cancelled():
        message = f"not answered within {within_s:g} s, together with the others"
        return failed(HTTPStatus.GATEWAY_TIMEOUT, message)
    if task.exception() is not None:
        return failed(HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED)
    return task.result()


def _left(tasks: Sequence[asyncio.Task[Answered]], gone: asyncio.Task[None]) -> None:
    if not gone.cancelled():
        _cancel(tasks)


def _cancel(tasks: Sequence[asyncio.Task[Answered]]) -> None:
    for task in tasks:
        task.cancel()


async def _gone(request: Request) -> None:
    """Return when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
