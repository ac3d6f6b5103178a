"""What can be set on a detector, with defaults that need no tuning."""

from __future__ import annotations

from dataclasses import dataclass

from anomaly.detectors.detector import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Settings shared by all detectors; each uses those that concern it.

    Attributes:
        direction: Which side is wrong.
        min_steps: Steps of warm-up during which nothing is said.
        threshold: Level and seasonal: how many scales from the baseline is too far.
        confirm_steps: Level and seasonal: how many steps in a row must be too far...
        extreme: ...unless one alone is this many times the threshold.
        clear_steps: Good steps in a row that end an anomaly.
        missing_steps: Steps without a value after which a series counts as missing.
        half_life_steps: How fast the baseline forgets.
        scale_floor: Floor of the noise as a share of the long-run standard deviation.
        min_change: Smallest change that counts, as a share of the expected value.
        relearn_steps: After so many anomalous steps the new state is taken as normal.
        period_steps: Seasonal: steps in a season.
        change_to: Counts: the change looked for, as a share of the expected rate.
        evidence: Counts: log-likelihood ratio needed; false alarms come less than once in
            ``exp(evidence)`` steps.
        step_s: Length of a step, seconds: turns rates into counts. The engine sets its own.
    """

    direction: Direction = Direction.BOTH
    min_steps: int = 12
    threshold: float = 5.0
    confirm_steps: int = 2
    extreme: float = 2.0
    clear_steps: int = 3
    missing_steps: int = 3
    half_life_steps: float = 12.0
    scale_floor: float = 0.3
    min_change: float = 0.0
    relearn_steps: int = 720
    period_steps: int = 288
    change_to: float = 0.3
    evidence: float = 16.0
    step_s: float = 5.0

    @property
    def alpha(self) -> float:
        """Weight of a new value, so that after ``half_life_steps`` an old one counts half."""
        return float(1.0 - 0.5 ** (1.0 / self.half_life_steps))
