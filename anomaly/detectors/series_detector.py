"""What all detectors with a kernel do alike: room for series, one step as a case of several."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.detector import Scores
from anomaly.detectors.memory import SeriesMemory, Verdicts, scores_of
from collectors.model import FloatArray


class SeriesDetector(ABC):
    """A :class:`~anomaly.detectors.detector.Detector` but for the kernel that judges.

    Args:
        rows: Numbers kept of each series.
    """

    def __init__(self, rows: int) -> None:
        self._memory = SeriesMemory(rows)

    @abstractmethod
    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> None:
        """Judge each step, then learn from what is not anomalous in it; fill in ``verdicts``.

        Args:
            values: Shape (steps, series); there is room for all of them.
            step: Number of the first step.
            verdicts: The same shape, nothing known yet.
        """

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        self._memory.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        self._memory.forget(series)

    def mark(self) -> object:
        """Return a copy of what is known of all series."""
        return copy.deepcopy(self.__dict__)

    def back_to(self, mark: Any) -> None:
        """Know what was known."""
        self.__dict__.update(copy.deepcopy(mark))

    def observe(self, values: FloatArray, step: int) -> Scores:
        """Judge one value a series, then learn from it unless it is anomalous."""
        return self.observe_steps(values[np.newaxis], step).at(0)

    def observe_steps(self, values: FloatArray, step: int) -> Scores:
        """Judge several steps, as if each had come by itself."""
        self.grow(values.shape[1])  # a kernel does not check its bounds
        verdicts = self._memory.verdicts(*values.shape)
        self._judge(values, step, verdicts)
        return scores_of(verdicts)
