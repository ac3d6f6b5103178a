"""What can be set on the change detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from anomaly.detectors.alarm import alarm_settings
from anomaly.detectors.detector import SIDES
from anomaly.detectors.novelty.day import DAY_S
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.residual import ResidualSettings

_THRESHOLD = 5.0
_FOLLOWED_STEPS = 2_880
"""A day of more steps is so slow that the level follows it."""


class ChangeSettings(NamedTuple):
    """:class:`ChangeParameters` as numbers, for the kernel; ``limit`` is that of a sum."""

    residual: ResidualSettings
    slack: float
    limit: float
    spread: bool
    day_steps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParameters(Parameters):
    """Settings of the change detector.

    Attributes:
        evidence: Log-likelihood ratio needed; false alarms of normal noise come less than once in
            ``exp(evidence)`` steps.
        shift: Smallest change that is looked for, in sigmas of the usual noise.
        spread: 1 to tell of a change of spread as well, which has no side; 0 to leave it out.
        day: 1 to take the usual course of a day away where steps take half a minute or more: it
            speaks after one; 0 for lines without a day.
        scale_floor: Floor of the noise as a share of the long-run standard deviation.
        min_change: Smallest difference that counts, as a share of the level.
    """

    evidence: float = setting(24.0, 1, 100)
    shift: float = setting(1.5, 0.2, 10)
    spread: int = setting(1, 0, 1)
    day: int = setting(1, 0, 1)
    scale_floor: float = setting(0.3, 0, 10)
    min_change: float = setting(0.005, 0, 10)
    half_life_steps: float = setting(24.0, 1, 100_000)
    min_steps: int = setting(60, 2, 100_000)

    @property
    def day_steps(self) -> int:
        """Steps of a day that is learned first; 0 where it is not, or the level can follow it."""
        steps = round(DAY_S / self.step_s)
        return steps if self.day and steps <= _FOLLOWED_STEPS else 0

    @property
    def warm_up_steps(self) -> int:
        """A whole day, then enough to know the noise."""
        return self.day_steps + self.min_steps

    @property
    def reach_steps(self) -> int:
        """A day to learn, and one in which it was judged."""
        return 2 * self.day_steps

    def as_numbers(self) -> ChangeSettings:
        """Return what the kernel needs; a sum over its limit is confirmation enough."""
        side = SIDES[self.direction]
        residual = ResidualSettings(
            alarm=alarm_settings(self, confirm_steps=1, extreme=1.0),
            side=side,
            threshold=_THRESHOLD,
            alpha=self.alpha,
            anchor_alpha=self.anchor_alpha,
            scale_floor=self.scale_floor,
            min_change=self.min_change,
        )
        limit = max(1.0, self.evidence / self.shift - 1.166)
        spread = bool(self.spread) and side == 0
        return ChangeSettings(residual, self.shift / 2, limit, spread, float(self.day_steps))
