"""From a value to its place along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from collectors.model import FloatArray

_SMALLEST_DECADE = -9


class ScaleKind(StrEnum):
    """The shapes of a value axis."""

    LINEAR = "linear"
    LOGARITHMIC = "log"
    LOG_LINEAR = "log-linear"
    POWER_2 = "pow2"
    SQRT = "sqrt"


def _signed_log(v: FloatArray) -> FloatArray:
    # log(1 + |v|) with the sign kept: through zero without a break, so negatives have a place.
    return np.sign(v) * np.log10(np.abs(v) + 1.0)


def _signed_exp(v: FloatArray) -> FloatArray:
    return np.sign(v) * (10.0 ** np.abs(v) - 1.0)


def _log_linear(v: FloatArray) -> FloatArray:
    # Decades have equal length and are linear inside, as in HDR histograms.
    size = np.abs(v)
    decade = np.floor(np.log10(np.maximum(size, 10.0**_SMALLEST_DECADE)))
    inside = np.maximum(size / 10.0**decade - 1.0, 0.0) / 9.0
    below = size / 10.0**_SMALLEST_DECADE
    place = np.where(size < 10.0**_SMALLEST_DECADE, below, decade - _SMALLEST_DECADE + 1 + inside)
    return np.sign(v) * place


def _log_linear_inverse(p: FloatArray) -> FloatArray:
    size = np.abs(p)
    decade = np.floor(size) - 1 + _SMALLEST_DECADE
    value = 10.0**decade * (1.0 + 9.0 * (size - np.floor(size)))
    return np.sign(p) * np.where(size < 1.0, size * 10.0**_SMALLEST_DECADE, value)


def _signed_power(power: float) -> Callable[[FloatArray], FloatArray]:
    return lambda v: np.sign(v) * np.abs(v) ** power


_FORWARD: dict[ScaleKind, Callable[[FloatArray], FloatArray]] = {
    ScaleKind.LINEAR: lambda v: v,
    ScaleKind.LOGARITHMIC: _signed_log,
    ScaleKind.LOG_LINEAR: _log_linear,
    ScaleKind.POWER_2: _signed_power(2.0),
    ScaleKind.SQRT: _signed_power(0.5),
}
_INVERSE: dict[ScaleKind, Callable[[FloatArray], FloatArray]] = {
    ScaleKind.LINEAR: lambda v: v,
    ScaleKind.LOGARITHMIC: _signed_exp,
    ScaleKind.LOG_LINEAR: _log_linear_inverse,
    ScaleKind.POWER_2: _signed_power(0.5),
    ScaleKind.SQRT: _signed_power(2.0),
}


@dataclass(frozen=True, slots=True)
class ValueScale:
    """A value axis from ``low`` to ``high``, both finite, ``low < high``."""

    kind: ScaleKind
    low: float
    high: float

    def fraction(self, values: FloatArray) -> FloatArray:
        """Return where ``values`` lie: 0 at ``low``, 1 at ``high``; NaN stays, far ones are cut."""
        forward = _FORWARD[self.kind]
        with np.errstate(all="ignore"):
            ends = forward(np.array([self.low, self.high]))
            if not ends[0] < ends[1]:  # so close that the shape of the axis can't part them
                forward, ends = _FORWARD[ScaleKind.LINEAR], np.array([self.low, self.high])
            placed = (forward(values) - ends[0]) / (ends[1] - ends[0])
        # A few canvas heights outside is as good as infinitely far, and drawable.
        finite = np.where(np.isnan(placed) & ~np.isnan(values), np.sign(values) * 4.0, placed)
        return np.clip(finite, -4.0, 5.0)

    def at(self, fraction: float) -> float:
        """Return the value at ``fraction`` of the axis."""
        with np.errstate(all="ignore"):
            low, high = _FORWARD[self.kind](np.array([self.low, self.high]))
            place = low * (1.0 - fraction) + high * fraction
            value = float(_INVERSE[self.kind](np.array([place]))[0])
        return value if math.isfinite(value) else self.low
