"""OpenSLO's duration shorthand: a whole number and one of m h d w M Q Y."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anomaly.documents import Node
from anomaly.fields import shown

_UNIT_S = {
    "m": 60,
    "h": 3_600,
    "d": 86_400,
    "w": 604_800,
    "M": 30 * 86_400,
    "Q": 90 * 86_400,
    "Y": 365 * 86_400,
}
_PATTERN = re.compile(r"(0|[1-9]\d{0,5})([mhdwMQY])")
_MAX_S = 5 * 365 * 86_400


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


def duration(node: Node, *, zero: bool = False) -> Duration:
    """Read a duration; ``zero`` allows a length of nothing."""
    match = _PATTERN.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None or node.tag != "str":
        node.fail(f"must be a whole number and a unit of m h d w M Q Y, got {shown(node)}")
    result = Duration(count=int(match[1]), unit=match[2])
    if result.count == 0 and not zero:
        node.fail(f"must be longer than nothing, got {result}")
    if result.seconds > _MAX_S:
        node.fail(f"must be at most 5 years, got {result}")
    return result


def slice_window(node: Node, *, strict: bool) -> Duration:
    """Read a time slice's length; outside strict mode a bare number means minutes."""
    if not strict and node.tag == "int" and isinstance(node.value, str) and node.value.isdigit():
        return Duration(count=max(1, int(node.value[:6])), unit="m")
    return duration(node)
