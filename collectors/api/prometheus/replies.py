"""Answers in Prometheus's form: ``status``, ``data``, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import Endpoint, status_of
from collectors.api.prometheus.forms import BadParameterError, Form
from collectors.api.work.running import MAX_TEXT, Asked
from collectors.api.work.workers import Workers
from collectors.budget import answered
from collectors.errors import (
    CancelledError,
    InputError,
    NotFoundError,
    OverloadedError,
    StorageError,
    TocsinError,
    TooCostlyError,
)
from collectors.missing import found_missing, noting
from collectors.promql.language.errors import PromqlError, PromqlSyntaxError
from collectors.promql.vectors.annotations import MAX_ANNOTATIONS

_CLIENT_CLOSED = 499
_JSON = "application/json"
Answer = Callable[[Form, Request], Response]


def success(
    data: bytes,
    warnings: Sequence[str] = (),
    infos: Sequence[str] = (),
) -> Response:
    """Return an answer whose ``data`` is JSON already."""
    answered(len(data))
    parts = [b'{"status":"success","data":', data]
    warnings = [*warnings, *found_missing()]
    for name, notes in ((b"warnings", warnings), (b"infos", infos)):
        if notes:
            parts += [b',"', name, b'":', orjson.dumps(_cut(notes))]
    return Response(b"".join([*parts, b"}"]), media_type=_JSON)


def success_of(data: object, warnings: Sequence[str] = ()) -> Response:
    """Return an answer with ``data``."""
    return success(orjson.dumps(data), warnings)


def _cut(notes: Sequence[str]) -> list[str]:
    if len(notes) <= MAX_ANNOTATIONS:
        return list(notes)
    left = len(notes) - MAX_ANNOTATIONS
    return [*notes[:MAX_ANNOTATIONS], f"{left} more were left out"]


def failure(error: TocsinError) -> Response:
    """Return the answer to a request that failed."""
    kind, status = _kind(error)
    body = {"status": "error", "errorType": kind, "error": error.message}
    headers = {}
    if isinstance(error, OverloadedError):
        headers["Retry-After"] = str(error.retry_after_s)
    return Response(orjson.dumps(body), status, headers, media_type=_JSON)


def _kind(error: TocsinError) -> tuple[str, int]:
    """Return Prometheus's word for an error, and the HTTP status that goes with it."""
    if isinstance(error, CancelledError):
        return "canceled", _CLIENT_CLOSED
    if isinstance(error, OverloadedError | StorageError):
        return "unavailable", 503
    if isinstance(error, PromqlError | TooCostlyError):
        return "execution", 422
    if isinstance(error, NotFoundError):
        return "not_found", 404
    if isinstance(error, BadParameterError | PromqlSyntaxError | InputError):
        return "bad_data", status_of(error)
    return "internal", 500


def answering(answer: Answer, workers: Workers) -> Endpoint:
    """Return an endpoint that runs ``answer`` as a query: in a thread, within its budget."""

    async def endpoint(request: Request) -> Response:
        try:
            form = await Form.of(request)
            work = partial(_noted, answer, form, request)
            return await workers.run(work, _asked(form, request), partial(_gone, request))
        except TocsinError as error:
            return failure(error)
        except Exception:
            log: Any = structlog.get_logger(__name__)
            log.exception(
                "request failed", path=request.url.path, query=request.url.query[:MAX_TEXT]
            )
            return failure(TocsinError("the request failed; the server's log has the reason"))

    return endpoint


def _noted(answer: Answer, form: Form, request: Request) -> Response:
    """Answer, and tell what other nodes should have answered."""
    with noting():
        return answer(form, request)


def _asked(form: Form, request: Request) -> Asked:
    client = request.client.host if request.client else ""
    text = form.text("query") or " ".join(form.all("match[]"))
    return Asked(
        path=request.url.path,
        text=text or request.url.query,
        client=client,
        timeout_s=max(0, form.duration_ms("timeout")) / 1000,
    )


async def _gone(request: Request) -> None:
    """Return when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
