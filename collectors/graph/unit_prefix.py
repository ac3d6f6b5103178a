"""Numbers with a unit prefix: 1.2k, 34.5M, 2.0Ki, 5.0ms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class TickLabels(StrEnum):
    """How the numbers along a value axis are written."""

    OFF = "off"
    DECIMAL = "decimal"
    BINARY = "binary"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class UnitPrefix:
    """A factor and the text after the number; ``scientific`` writes 1.0e+30 instead."""

    symbol: str
    factor: float
    scientific: bool = False

    def format(self, value: float, digits: int = 1, width: int = 0) -> str:
        """Return ``value`` in this unit, right-justified to ``width`` and the symbol after it."""
        if self.scientific:
            return f"{value:{width}.1e}"
        return f"{value / self.factor:{width}.{digits}f}{self.symbol}"


ONE = UnitPrefix("", 1.0)
_SCIENTIFIC = UnitPrefix("", 1.0, scientific=True)

# From small to large; a prefix serves values from its factor to the next one's.
_DECIMAL = tuple(
    UnitPrefix(symbol, 1000.0**power)
    for power, symbol in enumerate([*"yzafpnum", "", *"kMGTPEZY"], start=-8)
)
_BINARY = tuple(
    UnitPrefix(symbol, 1024.0**power)
    for power, symbol in enumerate(["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"])
)
_DURATION = (
    UnitPrefix("ns", 1e-9),
    UnitPrefix("us", 1e-6),
    UnitPrefix("ms", 1e-3),
    UnitPrefix("s", 1.0),
    UnitPrefix("min", 60.0),
    UnitPrefix("hr", 3600.0),
    UnitPrefix("day", 86_400.0),
    UnitPrefix("wk", 604_800.0),
    UnitPrefix("mon", 2_592_000.0),
    UnitPrefix("yr", 31_536_000.0),
)


def decimal(value: float) -> UnitPrefix:
    """Return the metric prefix for ``value``.

    >>> decimal(1500.0).format(1500.0)
    '1.5k'
    """
    if not math.isfinite(value) or value == 0.0 or 1.0 <= abs(value) < 1000.0:
        return ONE
    chosen = _largest_below(_DECIMAL, abs(value))
    if chosen is None or abs(value) >= 1000.0 * _DECIMAL[-1].factor:
        return _SCIENTIFIC
    return chosen


def binary(value: float) -> UnitPrefix:
    """Return the IEC prefix for ``value``; below one the metric ones serve."""
    if not math.isfinite(value) or abs(value) < 1.0:
        return decimal(value)
    if abs(value) >= 1024.0 * _BINARY[-1].factor:
        return _SCIENTIFIC
    return _largest_below(_BINARY, abs(value)) or ONE


def duration(value: float) -> UnitPrefix:
    """Return the unit of time for ``value`` seconds."""
    if not math.isfinite(value) or value == 0.0:
        return UnitPrefix("s", 1.0)
    if abs(value) >= 1000.0 * _DURATION[-1].factor:
        return UnitPrefix("s", 1.0, scientific=True)
    return _largest_below(_DURATION, abs(value)) or _DURATION[0]


def prefix_for(mode: TickLabels, value: float) -> UnitPrefix:
    """Return the prefix that ``mode`` gives ``value``."""
    if mode is TickLabels.BINARY:
        return binary(value)
    if mode is TickLabels.DURATION:
        return duration(value)
    return decimal(value)


def _largest_below(prefixes: tuple[UnitPrefix, ...], value: float) -> UnitPrefix | None:
    # The hair's breadth keeps 1e-3 and its like in their own decade in spite of rounding.
    fitting = [p for p in prefixes if value >= p.factor * (1.0 - 1e-12)]
    return fitting[-1] if fitting else None
