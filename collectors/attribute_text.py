"""An attribute as text, wherever one is shown, compared or counted."""

from __future__ import annotations

import orjson

from collectors.model import AttributeValue


def text_of(value: AttributeValue) -> str:
    """Return an attribute as a person would type it into a search field.

    >>> text_of(True), text_of(503), text_of(None), text_of(["a", 1])
    ('true', '503', '', '["a",1]')
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case list() | dict():
            return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
        case bool():
            return str(value).lower()
    return str(value)
