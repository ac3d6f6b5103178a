"""JSON bodies as browsers write them: with half surrogate pairs, which UTF-8 has no form for."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from collectors.errors import DecodeError

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(body: bytes) -> tuple[Any, bool]:
    """Return a document, and whether its texts may hold half a surrogate pair.

    Raises:
        DecodeError: The body is no JSON.
    """
    try:
        return orjson.loads(body), False
    except orjson.JSONDecodeError as why:
        try:
            return json.loads(body.decode("utf-8", "replace")), True
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"the body of {len(body)} bytes is not JSON: {why}") from error


def whole_text(text: str) -> str:
    """Return ``text`` with U+FFFD in place of half surrogate pairs.

    >>> whole_text("a" + chr(0xD83D) + "!")
    'a�!'
    """
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
