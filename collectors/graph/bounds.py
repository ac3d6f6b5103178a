"""From the lines of an axis to its lowest and highest value."""

from __future__ import annotations

import numpy as np

from collectors.graph.chart import AutoBound, Bound, Line, LineStyle, Plot
from collectors.graph.percentile_range import percentile_range
from collectors.model import FloatArray

_LARGEST = float(np.finfo(np.float64).max) / 4.0


def value_bounds(plot: Plot) -> tuple[float, float]:
    """Return the finite (low, high) of the axis, low < high.

    A bound that the user gave is kept; an automatic one follows the data, reaches to zero under
    filled areas, and steps aside by one where it would meet the other bound.
    """
    low, high = _data_range(plot)
    filled = any(line.style in (LineStyle.AREA, LineStyle.STACK) for line in plot.lines)
    low = _resolve(plot.lower, min(low, 0.0) if filled else low, low)
    high = _resolve(plot.upper, max(high, 0.0) if filled else high, high)
    return _apart(plot, _finite(low), _finite(high))


def stacked(lines: tuple[Line, ...]) -> list[tuple[Line, FloatArray, FloatArray]]:
    """Return each stacked line with the bottom and top of its band, both of shape (steps,).

    Positive values pile up from zero and negative ones pile down; a gap adds nothing.
    """
    bands = []
    up: FloatArray | None = None
    down: FloatArray | None = None
    for line in lines:
        if line.style is not LineStyle.STACK:
            continue
        value = np.clip(np.nan_to_num(line.values, nan=0.0), -_LARGEST, _LARGEST)
        if up is None or down is None:
            up, down = np.zeros_like(value), np.zeros_like(value)
        base = np.where(value >= 0, up, down)
        top = np.clip(base + value, -_LARGEST, _LARGEST)
        bands.append((line, base, top))
        up = np.where(value >= 0, top, up)
        down = np.where(value < 0, top, down)
    return bands


def _data_range(plot: Plot) -> tuple[float, float]:
    arrays: list[FloatArray] = []
    for line in plot.lines:
        bucket = percentile_range(line)
        if bucket is not None:
            if bool(np.any(line.values > 0)):
                arrays.append(np.array(bucket))
        elif line.style not in (LineStyle.VSPAN, LineStyle.STACK):
            arrays.append(line.values)
    arrays += [top for _, _, top in stacked(plot.lines)]
    finite = [a[np.isfinite(a)] for a in arrays]
    finite = [a for a in finite if a.size]
    if not finite:
        return 0.0, 1.0
    return min(float(a.min()) for a in finite), max(float(a.max()) for a in finite)


def _resolve(bound: Bound, by_style: float, by_data: float) -> float:
    if isinstance(bound, AutoBound):
        return by_style if bound is AutoBound.STYLE else by_data
    return bound


def _apart(plot: Plot, low: float, high: float) -> tuple[float, float]:
    if low < high:
        return low, high
    lower_is_free = isinstance(plot.lower, AutoBound)
    upper_is_free = isinstance(plot.upper, AutoBound)
    # One is below the resolution of large doubles: there the pad must grow with the value.
    pad = max(1.0, abs(low) * 1e-9, abs(high) * 1e-9)
    if lower_is_free and upper_is_free:
        return low - pad, high + pad
    if lower_is_free:
        return high - pad, high
    return low, low + pad


def _finite(value: float) -> float:
    return float(np.clip(value, -_LARGEST, _LARGEST))
