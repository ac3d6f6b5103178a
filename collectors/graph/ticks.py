"""Where a value axis is marked, and what stands there."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np

from collectors.graph.scales import ScaleKind, ValueScale
from collectors.graph.unit_prefix import TickLabels, prefix_for

_MINOR_PER_MAJOR = 5
_DECIMAL_STEPS = (1.0, 2.0, 5.0, 10.0)
_BINARY_STEPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
_DURATION_STEPS_S = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0),
    *(86_400.0, 172_800.0, 604_800.0, 2_592_000.0, 7_776_000.0, 31_536_000.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTick:
    """A mark at ``value``; minor ones carry no label."""

    value: float
    label: str
    major: bool


def value_ticks(scale: ValueScale, wanted: int, labels: TickLabels) -> list[ValueTick]:
    """Return the marks from low to high, about ``wanted`` of them major."""
    wanted = max(1, wanted)
    if scale.kind is not ScaleKind.LINEAR:
        return _scaled_ticks(scale, wanted, labels)
    major = _step(scale.high - scale.low, wanted, labels)
    minor = major / _MINOR_PER_MAJOR
    if minor < sys.float_info.min:  # a range too small to divide without losing all precision
        return _scaled_ticks(scale, wanted, labels)
    first = math.ceil(scale.low / minor - 1e-9)
    last = math.floor(scale.high / minor + 1e-9)
    if not math.isfinite(minor) or minor <= 0 or last - first > 2000:
        return []
    positions = [(i * minor, i % _MINOR_PER_MAJOR == 0) for i in range(first, last + 1)]
    texts = iter(tick_labels([v for v, is_major in positions if is_major], labels))
    return [
        ValueTick(value=v, label=next(texts) if is_major else "", major=is_major)
        for v, is_major in positions
    ]


def tick_labels(values: list[float], labels: TickLabels) -> list[str]:
    """Return the text of each mark.

    Where one digit cannot tell neighbours apart (a billion and a billion and one), the lowest is
    written whole and the others as their distance from it.
    """
    if labels is TickLabels.OFF:
        return [""] * len(values)
    plain = [prefix_for(labels, v).format(v) for v in values]
    if len(set(plain)) == len(plain):
        return plain
    base = values[0]
    prefix = prefix_for(labels, values[-1] - base)
    return [plain[0], *(f"+{prefix.format(v - base)}" for v in values[1:])]


def _step(span: float, wanted: int, labels: TickLabels) -> float:
    rough = span / wanted
    if not math.isfinite(rough) or rough <= 0.0:
        return 0.0
    if labels is TickLabels.DURATION and rough >= 1.0:
        return next((s for s in _DURATION_STEPS_S if s >= rough), _nice(rough))
    if labels is TickLabels.BINARY and rough >= 1.0:
        power = 1024.0 ** math.floor(math.log(rough, 1024.0))
        return power * next((s for s in _BINARY_STEPS if s * power >= rough), 1024.0)
    return _nice(rough)


def _nice(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0.0:
        return 0.0
    return power * next((s for s in _DECIMAL_STEPS if s * power >= rough * 0.999999), 10.0)


def _scaled_ticks(scale: ValueScale, wanted: int, labels: TickLabels) -> list[ValueTick]:
    if scale.kind in (ScaleKind.LOGARITHMIC, ScaleKind.LOG_LINEAR):
        values = _spaced(scale, _powers(scale), wanted)
        if len(values) < 3:
            values = _even(scale, wanted)
    else:
        values = _even(scale, wanted)
    texts = tick_labels(values, labels)
    return [
        ValueTick(value=v, label=text, major=True) for v, text in zip(values, texts, strict=True)
    ]


def _even(scale: ValueScale, wanted: int) -> list[float]:
    """Return values evenly spaced along the axis, rounded to two digits."""
    raw = (scale.at(i / wanted) for i in range(wanted + 1))
    return sorted({v for v in map(_rounded, raw) if scale.low <= v <= scale.high})


def _powers(scale: ValueScale) -> list[float]:
    """Return zero and the powers of ten on the axis, those of most weight first."""
    sizes = [10.0**power for power in range(300, -10, -1)]
    values = [0.0, *(v for size in sizes for v in (size, -size))]
    return [v for v in values if scale.low <= v <= scale.high]


def _spaced(scale: ValueScale, candidates: list[float], wanted: int) -> list[float]:
    """Return those candidates that have room beside the ones taken before them, sorted."""
    places = scale.fraction(np.array(candidates, dtype=np.float64))
    taken: list[tuple[float, float]] = []
    for value, place in zip(candidates, places.tolist(), strict=True):
        if all(abs(place - other) >= 0.8 / wanted for _, other in taken):
            taken.append((value, place))
    return sorted(value for value, _ in taken)


def _rounded(value: float) -> float:
    return float(f"{value:.1e}")
