"""JSON of strangers as plain values that can be kept, answered and shown."""

from __future__ import annotations

from typing import Any

import orjson

from collectors.errors import DecodeError

MAX_DEPTH = 64


def read_plain(body: bytes) -> Any:
    """Return the document of a small body.

    Half surrogate pairs, which no database and no answer can hold, are no JSON here.

    >>> read_plain(b'{"text": "a"}')
    {'text': 'a'}

    Raises:
        DecodeError: The body is no JSON, or nested deeper than ``MAX_DEPTH``.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"the body is no JSON: {error}") from error
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _within(value)]
        if not level:
            return document
    # What is nested deeper can't even be shown in a message: the interpreter gives up.
    raise DecodeError(f"the body is nested deeper than {MAX_DEPTH} levels")


def _within(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in values if isinstance(inner, dict | list)]
