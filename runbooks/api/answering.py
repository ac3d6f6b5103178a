"""Our errors as answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collectors.errors import ConfigError, InputError, StorageError, TocsinError

Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Endpoint:
    """Answer our errors as ``{"type": "error", "message": …}`` with their status."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (InputError, StorageError) as error:
            return _error(error, error.status)
        except ConfigError as error:
            return _error(error, 501)  # something that is not installed or set up here
        except TocsinError as error:
            return _error(error, 502)  # somebody whom we asked failed, such as a server of mails

    return answer


def _error(error: TocsinError, status: int) -> Response:
    return JSONResponse({"type": "error", "message": error.message}, status_code=status)


def guarded_as_alertmanager(endpoint: Endpoint) -> Endpoint:
    """Answer our errors as Alertmanager does: a text as JSON, a conflict as a bad request."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (InputError, StorageError) as error:
            status = 400 if error.status == 409 else error.status
            return JSONResponse(error.message, status_code=status)

    return answer
