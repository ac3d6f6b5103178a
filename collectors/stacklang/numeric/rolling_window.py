"""The size of a rolling window: a number of datapoints, or a length of time."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.stacklang.text.durations import Duration
from collectors.stacklang.text.faults import require

MAX_DATAPOINTS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingWindow:
    """Either ``datapoints`` or ``duration``.

    A number of datapoints covers more time when the step grows; a duration covers fewer points.
    """

    datapoints: int = 0
    duration: Duration | None = None

    def period(self, step_ms: int) -> int:
        """Return the number of datapoints, at least 1.

        Raises:
            QueryError: More than ``MAX_DATAPOINTS``.
        """
        size = self.datapoints if self.duration is None else self.duration.millis // step_ms
        require(
            size <= MAX_DATAPOINTS,
            f"window size {size} exceeds limit of {MAX_DATAPOINTS} datapoints",
        )
        return max(1, size)

    def __str__(self) -> str:
        return str(self.datapoints) if self.duration is None else str(self.duration)
