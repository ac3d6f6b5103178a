"""The range of values that a line of a percentile heat map stands for."""

from __future__ import annotations

from functools import lru_cache

from collectors.graph.chart import Line, LineStyle

_LONG_MAX = 2**63 - 1


@lru_cache(maxsize=1)
def bucket_limits() -> tuple[int, ...]:
    """Return the upper limits of spectator's 276 percentile buckets.

    1, 2, 3, then every power of four is divided into thirds of itself up to the next one
    (spectator-api, ``PercentileBuckets``).
    """
    limits = [1, 2, 3]
    exponent = 2
    while exponent < 62:
        current = 1 << exponent
        delta = current // 3
        following = (current << 2) - delta
        while current < following:
            limits.append(current)
            current += delta
        exponent += 2
    limits.append(_LONG_MAX)
    return tuple(limits)


def percentile_range(line: Line) -> tuple[float, float] | None:
    """Return (low, high) of the bucket in the ``percentile`` tag of a heat map's line.

    Timers (``T0042``) are in seconds, distribution summaries (``D0042``) in their own unit. None
    for every other line.
    """
    tag = line.tags.get("percentile", "")
    if line.style is not LineStyle.HEATMAP or len(tag) != 5 or tag[0] not in "TD":
        return None
    limits = bucket_limits()
    try:
        index = int(tag[1:], 16)
    except ValueError:
        return None
    if not 0 <= index < len(limits):
        return None
    unit = 1e-9 if tag[0] == "T" else 1.0
    low = limits[index - 1] if index else 0
    return low * unit, limits[index] * unit
