"""How long learning, judging and forgetting take: in time, whatever the length of a step."""

from __future__ import annotations

import math
from dataclasses import dataclass

_LEARN_S = 180.0
_SHORT_S, _LONG_S = 30.0, 300.0
_HALF_LIFE_S = 900.0
_DAY_S = 86_400.0
_FEWEST_STEPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The same in steps.

    Attributes:
        step_s: Length of a step, seconds.
        learn: Steps of something before it is judged.
        short: Steps that are judged together where there are many requests...
        long: ...and where there are few; what was not heard of for so long is silent.
        half_life: After so many steps, a step counts half in what is usual.
        relearn: What has been wrong for so many steps is learned anew, and told as such.
    """

    step_s: float
    learn: int
    short: int
    long: int
    half_life: int
    relearn: int

    @classmethod
    def of(cls, step_ms: int) -> Pace:
        """Return the pace of a step length.

        >>> pace = Pace.of(10_000)
        >>> pace.learn, pace.short, pace.long, pace.half_life
        (18, 3, 30, 90)
        """
        step_s = step_ms / 1_000

        def steps(seconds: float, fewest: int) -> int:
            return max(fewest, math.ceil(seconds / step_s))

        return cls(
            step_s=step_s,
            learn=steps(_LEARN_S, _FEWEST_STEPS),
            short=steps(_SHORT_S, 3),
            long=steps(_LONG_S, 5),
            half_life=steps(_HALF_LIFE_S, _FEWEST_STEPS),
            relearn=steps(_DAY_S, 720),
        )
