"""What all detectors with a kernel do alike: room for series, one step as a case of several."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.detector import Improbable, Scores
from anomaly.detectors.memory import Columns, SeriesMemory, Verdicts, scores_of
from collectors.model import FloatArray


class SeriesDetector(ABC):
    """A :class:`~anomaly.detectors.detector.Detector` but for the kernel that judges.

    Args:
        rows: Numbers kept of each series.
    """

    def __init__(self, rows: int) -> None:
        self._memory = SeriesMemory(rows)

    @abstractmethod
    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> Improbable | None:
        """Judge each step, then learn from what is not anomalous in it; fill in ``verdicts``.

        Args:
            values: Shape (steps, series); there is room for all of them.
            step: Number of the first step.
            verdicts: The same shape, nothing known yet.

        Returns:
            How improbable the values were and in what, if it judges by that.
        """

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        self._memory.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        self._memory.forget(series)

    def hold(self, held: NDArray[np.bool_]) -> None:
        """Say of which series an anomaly is not to be learned as normal, however long it lasts."""
        self.grow(len(held))
        self._memory.alarms.held[: len(held)] = held

    def mark(self) -> object:
        """Return a copy of what is known of all series."""
        return copy.deepcopy(self.__dict__)

    def back_to(self, mark: Any) -> None:
        """Know what was known."""
        self.__dict__.update(copy.deepcopy(mark))

    def observe(self, values: FloatArray, step: int, volume: FloatArray | None = None) -> Scores:
        """Judge one value a series, then learn from it unless it is anomalous."""
        volume = None if volume is None else volume[np.newaxis]
        return self.observe_steps(values[np.newaxis], step, volume).at(0)

    def observe_steps(
        self, values: FloatArray, step: int, volume: FloatArray | None = None
    ) -> Scores:
        """Judge several steps, as if each had come by itself."""
        self.grow(values.shape[1])  # a kernel does not check its bounds
        verdicts = self._memory.verdicts(*values.shape)
        why = self._judge_part(values, volume, step, verdicts)
        return scores_of(verdicts, why)

    def _judge_part(
        self, values: FloatArray, volume: FloatArray | None, step: int, verdicts: Verdicts
    ) -> Improbable | None:
        """Judge values of which it may be known of how many they are a part."""
        del volume
        return self._judge(values, step, verdicts)


class Kernel(Protocol):
    """Compiled code that judges."""

    def __call__(
        self, values: FloatArray, columns: Columns, verdicts: Verdicts, settings: Any, /
    ) -> None:
        """Judge values of shape (steps, series), learn from them, fill in the verdicts."""
        ...


class Numbers(Protocol):
    """Settings that a kernel can take."""

    def as_numbers(self) -> Any:
        """Return them as a tuple of numbers."""
        ...


class KernelDetector(SeriesDetector):
    """A detector that is its kernel: it knows nothing but the columns of its memory.

    Attributes:
        rows: Numbers kept of each series.
        kernel: Judges.
    """

    rows: ClassVar[int]
    kernel: ClassVar[Kernel]

    def __init__(self, parameters: Numbers) -> None:
        super().__init__(self.rows)
        self._settings = parameters.as_numbers()

    def _judge(self, values: FloatArray, step: int, verdicts: Verdicts) -> None:
        del step
        self.kernel(values, self._memory.columns, verdicts, self._settings)
