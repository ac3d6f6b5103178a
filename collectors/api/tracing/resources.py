"""Which spans come from the same resource: each sender makes an object of its own of it."""

from __future__ import annotations

import orjson

from collectors.model import Span


class Resources:
    """Numbers resources in the order in which their spans come, from 0."""

    def __init__(self) -> None:
        self._by_text: dict[tuple[str, bytes], int] = {}
        self._by_object: dict[tuple[str, int], int] = {}

    def number(self, span: Span) -> int:
        """Return the number of a span's service and resource."""
        key = span.service, id(span.resource)
        known = self._by_object.get(key)
        if known is None:
            text = orjson.dumps(span.resource, option=orjson.OPT_SORT_KEYS)
            known = self._by_text.setdefault((span.service, text), len(self._by_text))
            self._by_object[key] = known
        return known
