"""Reads an export request in protobuf's JSON mapping unit by unit, leaving out what is wrong."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from collectors.receivers.otlp.units import Flaws, is_unit, parts_by_json_name

NOT_OTLP = (json_format.ParseError, TypeError, ValueError, AttributeError, LookupError)


def fill(message: Message, document: Any, flaws: Flaws) -> None:
    """Fill an empty message; what is wrong below it is noted and left out.

    Raises:
        NOT_OTLP: One of the message's own fields is wrong.
    """
    if not isinstance(document, Mapping):
        shape = message.DESCRIPTOR.name
        raise json_format.ParseError(f"{shape} is {type(document).__name__}, not an object")
    parts = parts_by_json_name(message.DESCRIPTOR)
    own = {key: value for key, value in document.items() if key not in parts}
    _check(message.DESCRIPTOR, own)
    json_format.ParseDict(own, message, ignore_unknown_fields=True)
    for name, part in parts.items():
        value = document.get(name)
        if value is None:
            continue
        if part.is_repeated:
            _fill_each(getattr(message, part.name), part, value, flaws)
        else:
            _fill_one(message, part, value, flaws)


def _fill_each(filled: Any, part: Any, values: Any, flaws: Flaws) -> None:
    if not isinstance(values, list):
        raise json_format.ParseError(f"{part.json_name} is {type(values).__name__}, not a list")
    for value in values:
        try:
            fill(filled.add(), value, flaws)
        except NOT_OTLP as error:
            del filled[-1]
            flaws.lose(part.message_type, _units(part.message_type, value), str(error)[:300])


def _fill_one(message: Any, part: Any, value: Any, flaws: Flaws) -> None:
    if part.containing_oneof and (other := message.WhichOneof(part.containing_oneof.name)):
        raise json_format.ParseError(f"{part.json_name} and {other} at once")
    one = getattr(message, part.name)
    one.SetInParent()
    fill(one, value, flaws)


def _units(descriptor: Any, document: Any) -> int:
    """Return how many units are lost with a part of a document, at least one."""
    return max(1, _units_within(descriptor, document))


def _units_within(descriptor: Any, document: Any) -> int:
    if is_unit(descriptor):
        return 1
    if not isinstance(document, Mapping):
        return 0
    count = 0
    for name, part in parts_by_json_name(descriptor).items():
        value = document.get(name)
        values = value if part.is_repeated and isinstance(value, list) else [value]
        count += sum(_units_within(part.message_type, item) for item in values if item is not None)
    return count


def _check(descriptor: Any, document: Any) -> None:
    """Raise for what the parser would pass over: a text for a message, a name that no enum has."""
    for key, value in document.items():
        found = _fields(descriptor).get(key)
        if found is None or value is None:
            continue
        values = value if found.is_repeated and isinstance(value, list) else [value]
        if found.message_type is not None:
            for item in values:
                if not isinstance(item, Mapping):
                    shape = type(item).__name__
                    raise json_format.ParseError(f"{key} holds {shape}, not an object")
                _check(found.message_type, item)
        elif found.enum_type is not None and isinstance(value, str):
            raise json_format.ParseError(f"{key} {value[:64]!r} is not one of its enum's names")


@functools.cache
def _fields(descriptor: Any) -> Mapping[str, Any]:
    return {found.json_name: found for found in descriptor.fields}
