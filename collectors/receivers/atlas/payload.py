"""The three JSON forms of Atlas's publish payload → datapoints.

* object: ``{"tags": {common}, "metrics": [{"tags", "timestamp", "value"}, …]}``
* list: ``[{"tags", "timestamp", "value"}, …]``
* compact: ``[n, string × n, m, (id, tag count, (key, value) index × count, timestamp, value) × m]``

Unknown fields are ignored; ``start`` and ``values`` are the legacy names of ``timestamp`` and
``value``; values may be strings such as ``"NaN"``. Source: atlas-webapi ``PublishPayloads``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from collectors.errors import DecodeError
from collectors.model import Rejection, Tags

MAX_TABLE = 100_000


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One published value; ``time_ms`` is -1 if it was left out."""

    tags: Tags
    time_ms: int
    value: float


def decode_payload(body: bytes, max_datapoints: int) -> Iterator[Datapoint | Rejection]:
    """Yield datapoints, and a rejection for each element that is none.

    Raises:
        DecodeError: The body is not JSON, none of the three forms, or cut short.
    """
    if not body.strip():
        return
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"the payload is not JSON: {error}") from error
    if isinstance(document, dict):
        common = _tags(document.get("tags") or {})
        metrics = document.get("metrics") or []
        if not isinstance(metrics, list):
            raise DecodeError(f"metrics must be a list, not {type(metrics).__name__}")
        yield from _elements(metrics, common, max_datapoints)
    elif not isinstance(document, list):
        raise DecodeError(f"a payload is an object or a list, not {type(document).__name__}")
    elif document and isinstance(document[0], int):
        yield from _Compact(document).datapoints(max_datapoints)
    else:
        yield from _elements(document, {}, max_datapoints)


def _elements(
    elements: Sequence[Any], common: Tags, max_datapoints: int
) -> Iterator[Datapoint | Rejection]:
    _check_count(len(elements), max_datapoints)
    for element in elements:
        try:
            yield _element(element, common)
        except DecodeError as error:
            yield Rejection(reason="invalidDatapoint", detail=error.message)


def _element(element: Any, common: Tags) -> Datapoint:
    if not isinstance(element, dict):
        raise DecodeError(f"a datapoint is an object, not {str(element)[:80]!r}")
    tags = {**common, **_tags(element.get("tags") or {})}
    time = element.get("timestamp", element.get("start", -1))
    return Datapoint(tags, _time_ms(time), _value(element.get("value", element.get("values"))))


def _tags(tags: Any) -> dict[str, str]:
    if not isinstance(tags, Mapping):
        raise DecodeError(f"tags must be an object, not {str(tags)[:80]!r}")
    found = {}
    for key, value in tags.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise DecodeError(f"the value of tag {key[:80]!r} must be a string, not {value!r:.80}")
        found[key] = value
    return found


def _time_ms(time: Any) -> int:
    if isinstance(time, int) and not isinstance(time, bool) and -1 <= time < 2**53:
        return time
    if isinstance(time, float) and math.isfinite(time) and 0 <= time < 2**53:
        return int(time)
    raise DecodeError(f"timestamp {str(time)[:40]!r} is not epoch milliseconds")


def _value(value: Any) -> float:
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DecodeError(f"value {str(value)[:40]!r} is not a number")
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"value {str(value)[:40]!r} is not a number") from error


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise DecodeError(f"the payload has {count} datapoints, at most {limit} are taken at once")


class _Compact:
    """Reads the flat list of the compact form from left to right."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self._at = 0

    def datapoints(self, max_datapoints: int) -> Iterator[Datapoint | Rejection]:
        """Yield the datapoints; a bad position in the list can't be recovered from."""
        size = self._size(MAX_TABLE)
        table = self._take(size)
        if not all(isinstance(text, str) for text in table):
            raise DecodeError(f"the string table of {size} entries holds something else")
        count = self._size(max_datapoints)
        for _ in range(count):
            self._take(1)  # the id, which follows from the tags
            tags = self._tags(table)
            time, value = self._take(2)
            try:
                yield Datapoint(tags, _time_ms(time), _value(value))
            except DecodeError as error:
                yield Rejection(reason="invalidDatapoint", detail=error.message, tags=tags)

    def _take(self, count: int) -> list[Any]:
        taken = self._items[self._at : self._at + count]
        self._at += count
        if len(taken) < count:
            raise DecodeError(f"the compact payload of {len(self._items)} items is cut short")
        return taken

    def _size(self, limit: int) -> int:
        (size,) = self._take(1)
        if not isinstance(size, int) or not 0 <= size <= limit:
            raise DecodeError(f"requested buffer size exceeds limit ({str(size)[:40]} > {limit})")
        return size

    def _tags(self, table: list[str]) -> Tags:
        positions = self._take(2 * self._size(MAX_TABLE))
        if not all(isinstance(p, int) and 0 <= p < len(table) for p in positions):
            raise DecodeError(f"a tag points outside of the string table of {len(table)} entries")
        texts = [table[position] for position in positions]
        return dict(zip(texts[::2], texts[1::2], strict=True))
