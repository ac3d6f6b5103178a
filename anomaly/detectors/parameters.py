"""What can be set on a detector: each has its own settings, with bounds and usable defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

from anomaly.detectors.anchor import slow_alpha
from anomaly.detectors.detector import Direction

_SETTING = "setting"
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A number that an operator may set.

    Attributes:
        name: As in the document.
        low: Lowest value accepted.
        high: Highest value accepted.
        whole: Whether it must be a whole number.
    """

    name: str
    low: float
    high: float
    whole: bool


def setting(default: _Number, low: float, high: float) -> _Number:
    """Return a field of :class:`Parameters` that an operator may set.

    Args:
        default: Used when a document does not give it; whole numbers stay whole.
        low: Lowest value accepted.
        high: Highest value accepted.
    """
    metadata = {_SETTING: (low, high)}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Settings that every detector has; each adds its own.

    Attributes:
        direction: Which side is wrong.
        min_steps: Steps of warm-up during which nothing is said.
        clear_steps: Good steps in a row that end an anomaly.
        missing_steps: Steps without a value after which a series counts as missing.
        half_life_steps: How fast the baseline forgets.
        relearn_steps: After so many anomalous steps the new state is taken as normal.
        anchor_half_lives: How many times more slowly the anchor forgets, against which a slow
            decline is told; 0 for no anchor.
        step_s: Length of a step, seconds: turns rates into counts. Whoever runs it sets it.
    """

    direction: Direction = Direction.BOTH
    min_steps: int = setting(12, 2, 100_000)
    clear_steps: int = setting(3, 1, 1_000)
    missing_steps: int = setting(3, 1, 1_000)
    half_life_steps: float = setting(12.0, 1, 100_000)
    relearn_steps: int = setting(720, 10, 1_000_000)
    anchor_half_lives: float = setting(8.0, 0, 1_000)
    step_s: float = 5.0

    @property
    def alpha(self) -> float:
        """Weight of a new value, so that after ``half_life_steps`` an old one counts half."""
        return float(1.0 - 0.5 ** (1.0 / self.half_life_steps))

    @property
    def anchor_alpha(self) -> float:
        """Weight of a new value in the anchor; NaN for no anchor."""
        return slow_alpha(self.half_life_steps, self.anchor_half_lives)

    @property
    def stated_rate(self) -> float:
        """Most false alarms a step of one series: what noise without a fault stays below."""
        return 1e-5

    @property
    def warm_up_steps(self) -> int:
        """How many steps it takes until a series is judged."""
        return self.min_steps

    @property
    def reach_steps(self) -> int:
        """How many steps back it must have learned to judge as before; 0 when no more than usual.

        At a start, so much of the past is learned again.
        """
        return 0

    def contradiction(self) -> tuple[str, str] | None:
        """Return a setting that contradicts another and what it must be; None if all agree."""
        return None


def settings_of(parameters: type[Parameters]) -> tuple[Setting, ...]:
    """Return what an operator may set of a detector, in the order of its fields."""
    found: list[Setting] = []
    for each in fields(parameters):
        if _SETTING in each.metadata:
            low, high = each.metadata[_SETTING]
            whole = isinstance(each.default, int)
            found.append(Setting(name=each.name, low=low, high=high, whole=whole))
    return tuple(found)
