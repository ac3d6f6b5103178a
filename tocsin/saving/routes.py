"""``/api/v2/configuration``: whether files can be written, drafts of them, and the writing."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.errors import ConflictError, DecodeError, InputError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from tocsin.configuration.reloading import Reloader
from tocsin.saving.asked import Kind, kind_of, name_of, read_wish
from tocsin.saving.drafting import drafted
from tocsin.saving.writer import MAX_TEXT_BYTES, FileWriter

PATH = "/api/v2/configuration"
DRAFTS = f"{PATH}/drafts"
# JSON may write each character in six.
_MAX_BODY_BYTES = 6 * MAX_TEXT_BYTES + 1_024


def saving_routes(reloader: Reloader) -> list[Route]:
    """Return the routes that write files below the configuration directory."""
    api = _Api(FileWriter(reloader))
    return [
        Route(PATH, api.state, methods=["GET"]),
        Route(DRAFTS, api.draft, methods=["POST"]),
        Route(f"{PATH}/{{kind}}/{{name}}", api.write, methods=["PUT"]),
    ]


class _Api:
    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer

    async def state(self, request: Request) -> Response:
        del request
        why_not = await run_in_threadpool(self._writer.why_not)
        return JSONResponse({"writable": not why_not, "why_not": why_not, "kinds": list(Kind)})

    async def draft(self, request: Request) -> Response:
        try:
            body = read_plain(await request_body(request, _MAX_BODY_BYTES) or b"{}")
            return JSONResponse(await run_in_threadpool(self._drafted, body))
        except InputError as error:
            return _refused(error)

    def _drafted(self, body: object) -> dict[str, Any]:
        wish = read_wish(body)
        path, before = self._writer.now(wish.kind, wish.name)
        try:
            text = drafted(wish, before)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            told = f"{path} is no single dashboard with rows: add the chart by hand"
            raise ConflictError(told) from error
        draft = self._writer.checked(wish.kind, wish.name, text)
        return {
            "kind": wish.kind.value,
            "name": wish.name,
            "path": draft.path,
            "text": draft.text,
            "replaces": draft.replaces,
            "problems": [dict(problem) for problem in draft.problems],
        }

    async def write(self, request: Request) -> Response:
        try:
            kind, name = kind_of(request.path_params["kind"]), name_of(request.path_params["name"])
            body = read_plain(await request_body(request, _MAX_BODY_BYTES))
            if not isinstance(body, dict) or not isinstance(body.get("text"), str):
                raise DecodeError('the body must be {"text": …, "replaces": …}')
            replaces = str(body.get("replaces", ""))
            text = body["text"]
            return JSONResponse(
                await run_in_threadpool(self._writer.write, kind, name, text, replaces)
            )
        except InputError as error:
            return _refused(error)


def _refused(error: InputError) -> JSONResponse:
    return JSONResponse({"type": "error", "message": error.message}, status_code=error.status)
