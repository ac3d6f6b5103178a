"""Runs a detector over synthetic series and reads the processor's clock around each step."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from anomaly.detectors.detector import Detector, Direction, Phase, Scores
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.parameters import Parameters, settings_of
from anomaly.detectors.registry import detectors
from collectors.model import FloatArray

_PREPARED = 16
_MEAN = 20.0
_MISSING = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of one detector; seconds are processor time of the whole process.

    Attributes:
        series: Series judged in each step.
        usual_s: Steps in which nothing is wrong.
        fault_s: Steps in which a share of the series has fallen to nothing.
        new_s: Steps in which a share of the series is new.
        memory_mb: Growth of resident memory, from before the detector was made to the end.
        bytes_per_series: The same by series.
        anomalous: Series that were found wrong at the end of the fault.
    """

    series: int
    usual_s: Sequence[float]
    fault_s: Sequence[float]
    new_s: Sequence[float]
    memory_mb: float
    bytes_per_series: float
    anomalous: int


class Course:
    """One detector and the steps that it is given.

    Args:
        kind: Which detector.
        parameters: Its settings.
        series: How many series.
    """

    def __init__(self, kind: DetectorKind[Any], parameters: Parameters, series: int) -> None:
        random = np.random.default_rng(1)
        self._prepared = [_healthy(random, series) for _ in range(_PREPARED)]
        self._values: Iterator[FloatArray] = cycle(self._prepared)
        self._before_mb = resident_mb()
        self._detector: Detector = kind.make(parameters)
        self._volume = kind.volume
        self._step = 0
        self._phase = np.zeros(0, dtype=np.int8)

    def run(self, steps: int, *, fault: float = 0.0, new: float = 0.0) -> tuple[list[float], int]:
        """Judge ``steps`` steps; return the seconds of each and how many series are wrong now.

        Args:
            steps: How many.
            fault: Share of the series that is at zero.
            new: Share of the series that is seen for the first time in each step.
        """
        seconds: list[float] = []
        wrong = 0
        for _ in range(steps):
            values = next(self._values)
            values = _grown(values, max(len(self._phase), len(values)))
            if fault:
                values = values.copy()
                values[: int(len(values) * fault)] = 0.0
            if new:
                values = _grown(values, len(values) + int(len(self._prepared[0]) * new))
            before_s = time.process_time()
            scores = self._judge(values)
            seconds.append(time.process_time() - before_s)
            wrong = int((scores.phase == Phase.ANOMALOUS).sum())
        return seconds, wrong

    def memory_mb(self) -> float:
        """Return by how much resident memory has grown since before the detector was made."""
        return resident_mb() - self._before_mb

    def _judge(self, values: FloatArray) -> Scores:
        """Judge one step and find the series whose turn it is, as whoever reports them does."""
        self._detector.grow(len(values))
        # Of a known whole where the detector asks: twice as many as there usually are.
        whole = np.where(np.isnan(values), np.nan, 2 * _MEAN) if self._volume else None
        scores = self._detector.observe(values, self._step, whole)
        self._step += 1
        known = min(len(self._phase), len(scores.phase))
        np.flatnonzero(scores.phase[:known] != self._phase[:known])
        self._phase = scores.phase
        return scores


def measure(
    name: str, *, series: int, steps: int, share: float, settings: Mapping[str, Any]
) -> Figures:
    """Measure one detector after its warm-up and a bit.

    Args:
        name: Which.
        series: How many series.
        steps: How many steps are measured.
        share: Share of the series that fail or are new.
        settings: Settings that differ from the defaults; a detector takes those that it has.
    """
    kind = detectors()[name]
    own = {each.name for each in settings_of(kind.parameters)}
    parameters = replace(
        kind.parameters(direction=Direction.LOW, step_s=1.0),
        **{name: value for name, value in settings.items() if name in own},
    )
    kind.make(parameters).observe(np.ones(1), 0)  # its code is no series' memory
    course = Course(kind, parameters, series)
    course.run(max(48, parameters.warm_up_steps + 12))
    usual_s, _ = course.run(steps)
    memory_mb = course.memory_mb()
    fault_s, anomalous = course.run(max(4, steps // 4, kind.loss_steps + 2), fault=share)
    new_s, _ = course.run(max(4, steps // 4), new=share)
    return Figures(
        series=series,
        usual_s=usual_s,
        fault_s=fault_s,
        new_s=new_s,
        memory_mb=memory_mb,
        bytes_per_series=memory_mb * 2**20 / series,
        anomalous=anomalous,
    )


def resident_mb() -> float:
    """Return the resident memory of this process, from ``/proc``."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _healthy(random: np.random.Generator, series: int) -> FloatArray:
    values = random.poisson(_MEAN, series).astype(np.float64)
    values[random.random(series) < _MISSING] = np.nan
    return values


def _grown(values: FloatArray, series: int) -> FloatArray:
    """Return ``values`` with as many more healthy ones as are missing to ``series``."""
    missing = series - len(values)
    return values if missing <= 0 else np.concatenate([values, np.full(missing, _MEAN)])
