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
from anomaly.detectors.anchor import followed, lost_share
from anomaly.detectors.detector import SIDES
from anomaly.detectors.parameters import Parameters, setting
from collectors.kernel import inlined
from collectors.model import FloatArray

# Rows of the state array, whose columns are series: values learned from, level, mean absolute
# deviation from it, then mean and sum of squared deviations of all values (Welford 1962), and the
# anchor, which follows much more slowly, with the mean difference of neighbours, and the newest.
SEEN, LEVEL, SPREAD, MEAN, SQUARES, ANCHOR, RANGE, LAST = range(8)
ROWS = 8
_MAD_TO_STD = 1.2533
RANGE_TO_STD = 0.8862
_FLAT = 1e-4
_CLIP = 3.0
_NEVER_ALONE = 100.0
"""As ``extreme``: hardly any value is told before a second one confirms it."""
_LOST_SHARE = 0.7
"""Of what was usual some time ago so much must be gone to be told, however slowly it went."""


class ResidualSettings(NamedTuple):
    """:class:`ResidualParameters` as numbers, for kernels; ``side`` as in ``SIDES``."""

    alarm: AlarmSettings
    side: int
    threshold: float
    alpha: float
    anchor_alpha: float
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
    min_change: float = setting(0.005, 0, 10)

    @property
    def stated_rate(self) -> float:
        """A single wild value is told if it is wilder than those before (:mod:`.lone`).

        A line with heavy tails has up to five in ten thousand. Fewer follow each other, for who
        asks for two steps in a row (``extreme``); noise without such tails stays below one in
        100,000 either way.
        """
        return 2e-4 if self.extreme >= _NEVER_ALONE else 5e-4

    def as_numbers(self) -> ResidualSettings:
        """Return what kernels need."""
        return ResidualSettings(
            alarm=alarm_settings(self, confirm_steps=self.confirm_steps, extreme=self.extreme),
            side=SIDES[self.direction],
            threshold=self.threshold,
            alpha=self.alpha,
            anchor_alpha=self.anchor_alpha,
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
def is_flat(noise: float, expected: float) -> bool:
    """Return whether a series has hardly any noise of its own: no scale to judge one step by."""
    return noise <= _FLAT * abs(expected) + 1e-12


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
    if distance <= settings.min_change * abs(expected):
        # Too small a difference to matter is still shown as a share of what would, below 0.5.
        return min(0.49, score)
    if is_flat(noise, expected):
        return min(score, 0.99 * settings.alarm.extreme)  # a second step must confirm it
    return score


@inlined
def slow_loss(
    x: float, expected: float, i: int, state: FloatArray, settings: ResidualSettings
) -> float:
    """Return how much of what was usual some time ago is lost, 1.0 for too much.

    Args:
        x: What is seen.
        expected: What is expected besides the level, which has followed: a season's part, or 0.
        i: Of which series.
        state: Of all.
        settings: Of the detector.
    """
    if settings.side > 0 or math.isnan(settings.anchor_alpha):
        return 0.0
    if state[SEEN, i] < settings.alarm.min_steps:
        return 0.0
    # Neighbours differ by noise alone, whatever trend both follow: the moving range of control
    # charts. The spread about the level holds by how much the level lags behind.
    limit = state[RANGE, i] * RANGE_TO_STD * settings.threshold
    return lost_share(x, expected + state[ANCHOR, i], limit, _LOST_SHARE)


@inlined
def back_to_anchor(state: FloatArray, i: int) -> None:
    """Expect again, with the noise of then, what was usual before a decline."""
    std = state[RANGE, i] * RANGE_TO_STD
    state[LEVEL, i] = state[ANCHOR, i]
    state[SPREAD, i] = std / _MAD_TO_STD
    state[SQUARES, i] = std * std * state[SEEN, i]


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
    if not math.isnan(settings.anchor_alpha):
        state[ANCHOR, i] = followed(state[ANCHOR, i], x, seen, settings.anchor_alpha)
        if seen > 1.0:
            apart = abs(x - state[LAST, i])
            state[RANGE, i] = followed(state[RANGE, i], apart, seen - 1.0, settings.anchor_alpha)
        state[LAST, i] = x
    delta = x - state[MEAN, i]
    state[MEAN, i] += delta / seen
    state[SQUARES, i] += delta * (x - state[MEAN, i])
