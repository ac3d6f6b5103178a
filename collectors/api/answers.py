"""From an endpoint that returns or raises to an HTTP response in Atlas's form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.formats.json_text import to_json
from collectors.api.work.running import MAX_TEXT, Asked
from collectors.api.work.workers import Workers
from collectors.errors import (
    CancelledError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    OverloadedError,
    QueryError,
    StorageError,
    TocsinError,
    TooCostlyError,
    TooLargeError,
    UnsupportedError,
)
from collectors.missing import noting

UNEXPECTED = "InternalError: the request could not be answered; the server's log has the reason"
Endpoint = Callable[[Request], Awaitable[Response]]

PARTIAL_HEADER = "x-tocsin-partial"
"""What an answer lacks, as other nodes did not answer; without it nothing is missing."""
_MAX_HEADER = 1_000

_KINDS: Mapping[type[TocsinError], str] = {
    NotFoundError: "NoSuchElementException",
    TooLargeError: "EntityStreamSizeException",
    UnsupportedError: "UnsupportedMediaTypeException",
    ConflictError: "IllegalStateException",
    CancelledError: "CancellationException",
    TooCostlyError: "ResourceLimitException",
    ForbiddenError: "AccessDeniedException",
    OverloadedError: "CircuitBreakerOpenException",
    StorageError: "StorageException",
}


def kind_of(error: TocsinError) -> str:
    """Return the exception name that Atlas's clients know for ``error``.

    >>> kind_of(NotFoundError("no trace 00"))
    'NoSuchElementException'
    """
    if isinstance(error, QueryError):
        return error.kind
    return _KINDS.get(type(error), "IllegalArgumentException")


def status_of(error: TocsinError) -> int:
    """Return the HTTP status for ``error``."""
    if isinstance(error, QueryError) and error.kind == "NoSuchElementException":
        return NotFoundError.status
    if isinstance(error, InputError | OverloadedError | StorageError):
        return error.status
    return 500


def json_response(
    content: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return ``content`` as JSON; NaN and infinities become null, keys must be text."""
    return Response(to_json(content), status, headers, media_type="application/json")


def error_body(message: str) -> dict[str, str]:
    """Return the object that Atlas answers an error with."""
    return {"type": "error", "message": message}


def error_message(error: TocsinError) -> str:
    """Return ``<Kind>: <what happened>``."""
    return f"{kind_of(error)}: {error.message}"


def error_response(error: TocsinError) -> Response:
    """Return the JSON answer for ``error``, with ``Retry-After`` when retrying is right."""
    headers = {}
    if isinstance(error, OverloadedError):
        headers["Retry-After"] = str(error.retry_after_s)
    return json_response(error_body(error_message(error)), status=status_of(error), headers=headers)


def unexpected_response() -> Response:
    """Return the answer to a defect of ours; the details stand in the log, not in the body."""
    return json_response(error_body(UNEXPECTED), status=500)


def asked_of(request: Request) -> Asked:
    """Return what is told of a request while it is answered."""
    client = request.client.host if request.client else ""
    return Asked(path=request.url.path, text=request.url.query, client=client)


async def _gone(request: Request) -> None:
    """Return when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _noted(answer: Callable[[Request], Response], request: Request) -> Response:
    """Answer, and tell in a header what other nodes should have answered."""
    with noting() as missing:
        response = answer(request)
    if missing:
        text = "; ".join(missing).encode("ascii", "replace").decode()
        response.headers[PARTIAL_HEADER] = text[:_MAX_HEADER]
    return response


def answering(
    answer: Callable[[Request], Response],
    workers: Workers,
    failed: Callable[[TocsinError], Response] = error_response,
) -> Endpoint:
    """Return an endpoint that runs ``answer`` in a worker thread; ``failed`` words its errors.

    Evaluation and drawing hold the CPU for tens of milliseconds: on the event loop they would
    stall every receiver in the process.
    """

    async def endpoint(request: Request) -> Response:
        try:
            return await workers.run(
                partial(_noted, answer, request), asked_of(request), partial(_gone, request)
            )
        except TocsinError as error:
            return failed(error)
        except Exception:
            log: Any = structlog.get_logger(__name__)
            query = request.url.query[:MAX_TEXT]
            log.exception("request failed", path=request.url.path, query=query)
            return unexpected_response()

    return endpoint
