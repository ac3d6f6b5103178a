"""OpenSLO's duration shorthand: a whole number and one of m h d w M Q Y."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from collectors.documents.nodes import Look, Scalar
from collectors.documents.section import WrongValueError, context_of

_UNIT_S = {
    "m": 60,
    "h": 3_600,
    "d": 86_400,
    "w": 604_800,
    "M": 30 * 86_400,
    "Q": 90 * 86_400,
    "Y": 365 * 86_400,
}
_PATTERN = re.compile(r"(0|[1-9][0-9]{0,5})([mhdwMQY])")
_MINUTES = re.compile("[0-9]{1,6}")
_MAX_S = 5 * 365 * 86_400
_WANTED = "a whole number and a unit of m h d w M Q Y"
_SCHEMA = {"type": "string", "pattern": f"^{_PATTERN.pattern}$", "examples": ["30d"]}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length such as ``30d``. Months, quarters and years are 30, 90 and 365 days when rolling.

    >>> Duration(count=1, unit="M").seconds
    2592000
    """

    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return self.count * _UNIT_S[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def read_length_or_none(raw: object) -> Duration:
    """Return a length, possibly of nothing."""
    match = _PATTERN.fullmatch(raw.text) if isinstance(raw, Scalar) else None
    if match is None:
        raise WrongValueError(_WANTED)
    result = Duration(count=int(match[1]), unit=match[2])
    if result.seconds > _MAX_S:
        raise WrongValueError("at most 5 years")
    return result


def read_length(raw: object) -> Duration:
    """Return a length of more than nothing."""
    result = read_length_or_none(raw)
    if result.count == 0:
        raise WrongValueError("longer than nothing")
    return result


def read_slice_length(raw: object, info: ValidationInfo) -> Duration:
    """Return a time slice's length; outside of strict mode a bare number means minutes."""
    if isinstance(raw, Scalar) and raw.look is Look.NUMBER and not context_of(info).strict:
        if _MINUTES.fullmatch(raw.text) is None:
            raise WrongValueError("a whole number of minutes")
        return Duration(count=max(1, int(raw.text)), unit="m")
    return read_length(raw)


Length = Annotated[Duration, PlainValidator(read_length), WithJsonSchema(_SCHEMA)]
"""A length of more than nothing."""
LengthOrNone = Annotated[Duration, PlainValidator(read_length_or_none), WithJsonSchema(_SCHEMA)]
"""A length, possibly of nothing."""
SliceLength = Annotated[
    Duration,
    PlainValidator(read_slice_length),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "integer", "minimum": 1}]}),
]
"""A time slice's length; a bare number means minutes."""
