"""Judging by the distance from a forecast: robust level and noise of what a forecast leaves over.

An exponentially weighted level and mean absolute deviation with Huber's clipping (Gelper, Fried and
Croux, "Robust forecasting with exponential and Holt-Winters smoothing", 2010). The scale never
falls below a share of the long-run standard deviation: on quiet series a collapsing scale, not a
bad forecast, is what raises false alarms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from anomaly.detectors.alarm import AlarmSettings, alarm_settings
from anomaly.detectors.detector import SIDES
from anomaly.detectors.parameters import Parameters, setting
from collectors.kernel import inlined
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: values learned from, level, mean absolute
# deviation from it, then mean and sum of squared deviations of all values (Welford 1962).
SEEN, LEVEL, SPREAD, MEAN, SQUARES = range(5)
ROWS = 5
_MAD_TO_STD = 1.2533
_CLIP = 3.0


class ResidualSettings(NamedTuple):
    """:class:`ResidualParameters` as numbers, for kernels; ``side`` as in ``SIDES``."""

    alarm: AlarmSettings
    side: int
    threshold: float
    alpha: float
    scale_floor: float
    min_change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualParameters(Parameters):
    """Settings of detectors that judge by the distance from what was expected.

    Attributes:
        threshold: How many scales from the baseline is too far.
        confirm_steps: How many steps in a row must be too far...
        extreme: ...unless one alone is this many times the threshold.
        scale_floor: Floor of the noise as a share of the long-run standard deviation.
        min_change: Smallest difference that counts, as a share of the expected value.
    """

    threshold: float = setting(5.0, 0.5, 100)
    confirm_steps: int = setting(2, 1, 1_000)
    extreme: float = setting(2.0, 1, 1_000)
    scale_floor: float = setting(0.3, 0, 10)
    min_change: float = setting(0.0, 0, 10)

    def as_numbers(self) -> ResidualSettings:
        """Return what kernels need."""
        return ResidualSettings(
            alarm=alarm_settings(self, confirm_steps=self.confirm_steps, extreme=self.extreme),
            side=SIDES[self.direction],
            threshold=self.threshold,
            alpha=self.alpha,
            scale_floor=self.scale_floor,
            min_change=self.min_change,
        )


@inlined
def noise_of(state: FloatArray, i: int, settings: ResidualSettings) -> float:
    """Return the usual size of a residual: robust, but not below a share of the long-run one."""
    variance = state[SQUARES, i] / max(1.0, state[SEEN, i] - 1.0)
    floor = settings.scale_floor * math.sqrt(max(0.0, variance))
    # A constant series has no noise at all; a millionth of its level keeps the score finite.
    least = 1e-6 * abs(state[LEVEL, i]) + 1e-12
    return float(max(state[SPREAD, i] * _MAD_TO_STD, floor, least))


@inlined
def excess(x: float, expected: float, noise: float, settings: ResidualSettings) -> float:
    """Return the distance on the wrong side in units of the limit, 0.0 on the right side."""
    residual = x - expected
    if settings.side < 0:
        distance = -residual
    elif settings.side > 0:
        distance = residual
    else:
        distance = abs(residual)
    score = max(0.0, distance / (noise * settings.threshold))
    # Too small a difference to matter is still shown as a share of what would matter, below 0.5.
    return min(0.49, score) if distance <= settings.min_change * abs(expected) else score


@inlined
def learn(state: FloatArray, i: int, x: float, settings: ResidualSettings) -> None:
    """Take ``x`` into level and spread; early values weigh equally, later ones exponentially."""
    seen = state[SEEN, i] + 1.0
    state[SEEN, i] = seen
    weight = max(settings.alpha, 1.0 / seen)
    residual = x - state[LEVEL, i]
    spread = state[SPREAD, i]
    if seen > 4.0 and spread > 0.0:
        limit = _CLIP * spread * _MAD_TO_STD
        residual = min(limit, max(-limit, residual))
    if seen > 1.0:
        faster = max(settings.alpha, 1.0 / (seen - 1.0))
        state[SPREAD, i] = spread + faster * (abs(residual) - spread)
    state[LEVEL, i] += weight * residual
    delta = x - state[MEAN, i]
    state[MEAN, i] += delta / seen
    state[SQUARES, i] += delta * (x - state[MEAN, i])
