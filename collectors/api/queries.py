"""``/api/v1/queries``: what is asked of this server just now, and an end to one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.answers import error_response, json_response
from collectors.api.work.running import RunningQueries, RunningQuery
from collectors.errors import NotFoundError, TocsinError

_MAX_DIGITS = 18


def query_routes(queries: RunningQueries) -> list[Route]:
    """Return the list of running queries and what cancels one.

    Both are answered on the event loop: they must work while every thread is taken.
    """
    return [
        Route("/api/v1/queries", _listing(queries), methods=["GET"]),
        Route("/api/v1/queries/{number}", _cancelling(queries), methods=["DELETE"]),
    ]


def _listing(queries: RunningQueries) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        del request
        return json_response({"queries": [_shown(query) for query in queries.all()]})

    return answer


def _cancelling(queries: RunningQueries) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        given = request.path_params["number"]
        try:
            if not (given.isascii() and given.isdigit() and len(given) <= _MAX_DIGITS):
                raise NotFoundError(f"no query '{given[:80]}'; queries are numbered")
            return json_response(_shown(queries.cancel(int(given))))
        except TocsinError as error:
            return error_response(error)

    return answer


def _shown(query: RunningQuery) -> dict[str, object]:
    budget = query.budget
    return {
        "id": query.number,
        "state": query.state.value,
        "path": query.path,
        "query": query.text,
        "client": query.client,
        "elapsed_s": round(budget.elapsed_s, 3),
        "timeout_s": budget.timeout_s,
        "memory_bytes": budget.taken_bytes,
        "memory_limit_bytes": budget.limit_bytes,
    }
