"""A line of numbers as a line of text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

_LEVELS = "▁▂▃▄▅▆▇█"
_NOTHING = " "


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw numbers as bars from 0 (or the least, if that is below) to the most.

    What was not measured is a gap and not a zero. More numbers than there is room for are drawn
    by the largest of those that share a bar, so that a short peak is not lost.

    Args:
        values: NaN where nothing was measured.
        width: Most characters.

    >>> sparkline([0, 1, 2, 4, float("nan"), 8], 6)
    '▁▂▃▅ █'
    >>> sparkline([1, 9, 1, 1], 2)
    '█▂'
    >>> sparkline([0, 0], 4), sparkline([], 4)
    ('▁▁', '')
    """
    bars = [*_merged(values, width)]
    known = [value for value in bars if math.isfinite(value)]
    if not known:
        return _NOTHING * len(bars)
    floor, top = min(0.0, *known), max(known)
    span = top - floor
    return "".join(_bar(value, floor, span) for value in bars)


def _merged(values: Sequence[float], width: int) -> Iterator[float]:
    """Yield at most ``width`` numbers: the largest of each stretch, NaN of one without any."""
    count = min(len(values), max(0, width))
    for place in range(count):
        part = values[place * len(values) // count : (place + 1) * len(values) // count]
        yield max((value for value in part if math.isfinite(value)), default=math.nan)


def _bar(value: float, floor: float, span: float) -> str:
    if not math.isfinite(value):
        return _NOTHING
    share = (value - floor) / span if span else 0.0
    return _LEVELS[min(len(_LEVELS) - 1, round(share * (len(_LEVELS) - 1)))]
