"""Reading what a request brings: an object, and not more of it than anybody needs to send."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from demo_stack.chassis.errors import ServiceError

MAX_BYTES = 64 * 1_024
MAX_FIELDS = 50
FORM = "application/x-www-form-urlencoded"


class BodyError(ServiceError):
    """A body that holds no object, or too much."""


async def read_object(request: Request, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return a body's JSON object, or the fields of a form as OAuth 2's clients send it.

    Raises:
        BodyError: It is neither, or longer than ``max_bytes``.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise BodyError(f"a body has at most {max_bytes} bytes; send less", status=400)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return _form(bytes(body))
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise BodyError("the body must be a JSON object", status=400)
    return found


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(body.decode(), max_num_fields=MAX_FIELDS, strict_parsing=True)
    except ValueError as error:  # broken text is one, too
        raise BodyError(f"the body is no form: {error}", status=400) from error
    names = [name for name, _ in fields]
    if len(set(names)) < len(names):
        raise BodyError("a field of the form is given twice", status=400)  # RFC 6749, 3.2
    return dict(fields)
