"""Content as JSON bytes."""

from __future__ import annotations

import json

import orjson


def to_json(content: object) -> bytes:
    """Return ``content`` as JSON; NaN and infinities become null, keys must be text.

    Half of a surrogate pair, which an escape in a program can make, has no UTF-8: content with one
    is written in ASCII, by the slower encoder.

    >>> to_json({"a": float("nan")})
    b'{"a":null}'
    """
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, separators=(",", ":")).encode("ascii")
