"""The range of values that a line of a percentile heat map stands for."""

from __future__ import annotations

from collectors.graph.chart import Line, LineStyle
from collectors.stacklang.numeric.percentiles import BOUNDS


def percentile_range(line: Line) -> tuple[float, float] | None:
    """Return (low, high) of the bucket in the ``percentile`` tag of a heat map's line.

    Timers (``T0042``) are in seconds, distribution summaries (``D0042``) in their own unit. None
    for every other line.
    """
    tag = line.tags.get("percentile", "")
    if line.style is not LineStyle.HEATMAP or len(tag) != 5 or tag[0] not in "TD":
        return None
    try:
        index = int(tag[1:], 16)
    except ValueError:
        return None
    if not 0 <= index < len(BOUNDS):
        return None
    unit = 1e-9 if tag[0] == "T" else 1.0
    low = float(BOUNDS[index - 1]) if index else 0.0
    return low * unit, float(BOUNDS[index]) * unit
