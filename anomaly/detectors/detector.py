"""What every detector is: vectorised over series, a step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray

PhaseArray = NDArray[np.int8]


class Phase(IntEnum):
    """What a detector says about one series now."""

    WARMING_UP = 0
    NORMAL = 1
    ANOMALOUS = 2
    MISSING = 3
    LOW_VOLUME = 4


class Direction(StrEnum):
    """Which side is wrong."""

    LOW = "low"
    HIGH = "high"
    BOTH = "both"


class Manner(IntEnum):
    """In what way an anomalous series is unlike itself."""

    MOVED = 0
    """It is somewhere else."""
    WIDER = 1
    """It swings more than it did."""
    NARROWER = 2
    """It swings less than it did."""
    STILL = 3
    """It does not move at all."""


MannerArray = NDArray[np.int8]

SIDES = {Direction.LOW: -1, Direction.HIGH: 1, Direction.BOTH: 0}
"""The same as numbers, for kernels."""


class Improbable(NamedTuple):
    """How improbable values are by each measure, log10 of probabilities; NaN while not known.

    Attributes:
        residual: Of so large a distance from what is usual at the time.
        pattern: Of a value and the one before that are so unlike any before.
        quiet: Of so little movement.
    """

    residual: NDArray[np.float32]
    pattern: NDArray[np.float32]
    quiet: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Judgement of one step, every array of shape (series,), or of several: (steps, series).

    Attributes:
        phase: :class:`Phase` codes.
        score: Distance from normal; 1.0 is the limit; NaN while nothing can be said.
        expected: What the value was expected to be, in the series' unit; NaN while warming up.
        scale: Size of the usual noise, in the series' unit; NaN while warming up.
        since_steps: For an anomalous series, how many of the newest steps belong to it; else 0.
        why: How improbable the values are, from a detector that judges by that; of an anomalous
            series the least probable since it began.
        manner: :class:`Manner` codes; None: all that is wrong has moved.
    """

    phase: PhaseArray
    score: FloatArray
    expected: FloatArray
    scale: FloatArray
    since_steps: IntArray
    why: Improbable | None = None
    manner: MannerArray | None = None

    def at(self, step: int) -> Scores:
        """Return the judgement of one of several steps."""
        return Scores(
            phase=self.phase[step],
            score=self.score[step],
            expected=self.expected[step],
            scale=self.scale[step],
            since_steps=self.since_steps[step],
            why=None if self.why is None else Improbable(*(part[step] for part in self.why)),
            manner=None if self.manner is None else self.manner[step],
        )


class Detector(Protocol):
    """An online detector over a growing set of series.

    The judgement of a step uses only steps before it. NaN means that a series has no value: after
    ``missing_steps`` of them its phase is ``MISSING``, and what was learned is kept.
    """

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all; new ones start warming up."""
        ...

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series: their places are given to others."""
        ...

    def hold(self, held: NDArray[np.bool_]) -> None:
        """Say which series don't get used to an anomaly from now on, however long it lasts.

        Args:
            held: Shape (series,); of series that came since nothing is held.
        """
        ...

    def mark(self) -> object:
        """Return what is known of all series, for :meth:`back_to`."""
        ...

    def back_to(self, mark: Any) -> None:
        """Know what was known, of series that came since nothing; a mark can be used again."""
        ...

    def observe(self, values: FloatArray, step: int, volume: FloatArray | None = None) -> Scores:
        """Judge, then learn from, one value a series.

        Args:
            values: Shape (series,), NaN where a series has no value.
            step: Number of the step on the time axis (epoch time over step length).
            volume: Of how many the values are a part, where the kind of detector asks for it;
                shape and unit of ``values``.
        """
        ...

    def observe_steps(
        self, values: FloatArray, step: int, volume: FloatArray | None = None
    ) -> Scores:
        """Judge, then learn from, several steps, as if each had come by itself.

        Args:
            values: Shape (steps, series).
            step: Number of the first step.
            volume: As above, of the same shape.

        Returns:
            Shape (steps, series).
        """
        ...
