"""How full services are, where a metric says so: what is usual, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from anomaly.detectors import level
from anomaly.detectors.detector import Direction, Phase
from anomaly.detectors.residual import ResidualParameters
from anomaly.groups import Groups
from anomaly.health.pace import Pace
from anomaly.health.sources import MAX_SERVICES, saturation
from collectors.model import FloatArray, Frame, IntArray

NEARLY_FULL = 0.8
"""What is less full may be fuller than usual: there is room."""


class Saturation:
    """State of all services.

    Args:
        pace: How fast to learn.
    """

    def __init__(self, pace: Pace) -> None:
        self._groups = Groups(("service.name",), MAX_SERVICES)
        parameters = ResidualParameters(
            direction=Direction.HIGH,
            min_steps=pace.learn,
            half_life_steps=float(pace.half_life),
            relearn_steps=pace.relearn,
            anchor_half_lives=0.0,
            confirm_steps=3,
            extreme=10.0,
            min_change=0.1,
            step_s=pace.step_s,
        )
        self._detector = level.DETECTOR.make(parameters)
        self._table: FloatArray = np.zeros((0, 0))

    def take(self, answers: Mapping[str, Frame], steps: int) -> None:
        """Take the values of the next steps."""
        births = self._groups.births.copy()
        (self._table,) = self._groups.tables([answers.get(saturation())], steps)
        self._detector.grow(len(self._groups))
        self._detector.forget(np.flatnonzero(self._groups.births[: len(births)] != births))

    def mark(self) -> tuple[object, IntArray]:
        """Return where it stands."""
        return self._detector.mark(), self._groups.births.copy()

    def back_to(self, mark: tuple[object, IntArray]) -> None:
        """Stand where it stood."""
        stood, births = mark
        self._detector.back_to(stood)
        self._detector.grow(len(self._groups))
        self._detector.forget(np.flatnonzero(self._groups.births[: len(births)] != births))

    def judge(self, first: int, last: int, step: int) -> Sequence[Mapping[str, tuple[float, bool]]]:
        """Return by service, for each step, how full it was and whether that is unusual."""
        values = np.ascontiguousarray(self._table[:, first:last].T)
        phase = self._detector.observe_steps(values, step).phase
        unusual = (phase == Phase.ANOMALOUS) & (values >= NEARLY_FULL)
        names = [scope["service.name"] for scope in self._groups.scopes]
        found: list[dict[str, tuple[float, bool]]] = [{} for _ in values]
        for at, thing in np.argwhere(np.isfinite(values)).tolist():
            found[at][names[thing]] = float(values[at, thing]), bool(unusual[at, thing])
        return found
