"""How numbers, times and places read in the sentences of a finding."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from collectors.model import Tags

_SPECIAL = set(",():\\")


def percent(ratio: float) -> str:
    """Return a share as people say it: three significant digits.

    >>> percent(0.4123), percent(0.001)
    ('41.2 %', '0.1 %')
    """
    return "an unknown share" if math.isnan(ratio) else f"{ratio * 100:.3g} %"


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit.

    >>> quantity(6.1234, "1/s")
    '6.12 per second'
    """
    if math.isnan(value):
        return "nothing"
    words = {"1/s": " per second", "ratio": "", "s": " s", "ms": " ms"}
    return f"{value:.3g}{words.get(unit, f' {unit}')}"


def length(seconds: float) -> str:
    """Return a duration in its natural unit.

    >>> length(90), length(3600), length(5)
    ('90 s', '1 h', '5 s')
    """
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def clock_time(time_ms: int) -> str:
    """Return the time of day in UTC, to the second.

    >>> clock_time(0)
    '00:00:00 UTC'
    """
    return f"{datetime.fromtimestamp(time_ms / 1_000, tz=UTC):%H:%M:%S} UTC"


def place(group: Tags) -> str:
    """Return where, as it ends a sentence: `` in us-east-1``, or nothing."""
    values = [value for value in group.values() if value]
    return f" in {', '.join(values)}" if values else ""


def scope_text(group: Tags) -> str:
    """Return a group for an identifier: its values by slashes, ``all`` when there are none."""
    return "/".join(group.values()) or "all"


def narrowed(expression: str, group: Tags) -> str:
    """Return ``expression`` restricted to one group by common queries.

    >>> narrowed("name,sps,:eq,:sum", {"cloud.region": "us-east-1"})
    'name,sps,:eq,:sum,cloud.region,us-east-1,:eq,:cq'
    """
    for key, value in group.items():
        if value and not _SPECIAL & set(value):
            expression = f"{expression},{key},{value},:eq,:cq"
    return expression
