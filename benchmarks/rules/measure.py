"""Runs the steps and reads the processor's clock around each evaluation."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.rules.engine import engine_over
from benchmarks.rules.workload import STEP_MS, Platform, batch
from collectors.clock import ManualClock
from collectors.model import FloatArray, Frame, Tags
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.store.metric_store import MetricStore

_START_MS = 1_700_000_040_000 // STEP_MS * STEP_MS
_PAST_STEPS = 70
_WRITTEN_AT_ONCE = 10
_WARM_UP_STEPS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; seconds are processor time of the whole process.

    Attributes:
        series: Series in the store.
        expressions: Standing expressions.
        lines: Lines that they had in the first step.
        faults: Expressions that could not be evaluated.
        first_s: The first step of the evaluator.
        steady_s: Its later steps without new series.
        churn_s: Its steps in which a share of the series is new.
        engine_s: Ticks of an engine that watches the same: evaluation, budgets, burn rates and
            detectors, all of them warm.
        rss_mb: Largest resident memory.
    """

    series: int
    expressions: int
    lines: int
    faults: int
    first_s: float
    steady_s: list[float] = field(default_factory=list)
    churn_s: list[float] = field(default_factory=list)
    engine_s: list[float] = field(default_factory=list)
    rss_mb: float = 0.0


class Course:
    """The store, filled step by step, and the expressions that stand over it.

    Args:
        platform: What there is.
        path: Where the store may write.
    """

    def __init__(self, platform: Platform, path: Path) -> None:
        self._platform = platform
        self._random = np.random.default_rng(1)
        self._clock = ManualClock(_START_MS)
        self._store = MetricStore.open(
            path, step_ms=STEP_MS, hot_window_ms=6 * 3_600_000, clock=self._clock
        )
        self._tags: list[Tags] = platform.tags()
        self._standing = StreamingEvaluator(
            {program: program for program in platform.programs()}, STEP_MS
        )
        self._now_ms = _START_MS

    def fill(self) -> None:
        """Write the past that offsets and windows look at."""
        for _ in range(0, _PAST_STEPS, _WRITTEN_AT_ONCE):
            self._write(_WRITTEN_AT_ONCE)

    def churn(self, share: float, generation: int) -> None:
        """Replace a share of the series, chosen from the newest instances, by new ones."""
        count = int(len(self._tags) * share)
        self._tags[-count:] = self._platform.fresh(count, generation)

    def step(self) -> tuple[float, Mapping[str, Frame], int]:
        """Write one step and evaluate it; return the seconds, the answers and the faults."""
        self._write(1)
        before_s = time.process_time()
        frames = self._standing.advance(self._store, self._now_ms)
        spent_s = time.process_time() - before_s
        return spent_s, frames, len(self._standing.errors)

    def engine(self, steps: int) -> list[float]:
        """Let an engine watch the same from before the first sample; return seconds a step."""
        engine = engine_over(self._platform, self._store, self._clock)
        seconds: list[float] = []
        for _ in range(_WARM_UP_STEPS + steps):
            before_s = time.process_time()
            engine.tick(self._now_ms)
            seconds.append(time.process_time() - before_s)
            self._write(1)
        if engine.faults:
            raise RuntimeError(f"rules failed: {engine.faults}")
        return seconds[_WARM_UP_STEPS:]

    def close(self) -> None:
        """Release the store."""
        self._store.close()

    def _write(self, steps: int) -> None:
        values: FloatArray = self._random.poisson(20.0, (len(self._tags), steps)).astype(float)
        first_ms = self._now_ms + STEP_MS
        self._now_ms += steps * STEP_MS
        self._clock.set_ms(self._now_ms)
        receipt = self._store.write(batch(self._tags, values, first_ms))
        if receipt.rejected:
            print(f"refused: {receipt.rejected[0]}", file=sys.stderr)


def measure(
    platform: Platform, path: Path, *, steady: int, churn: int, share: float, engine: int = 0
) -> Figures:
    """Measure ``steady`` steps without new series, ``churn`` steps with a ``share`` of them.

    And ``engine`` ticks of an engine over a store of its own.
    """
    watched = Course(platform, path / "engine")
    try:
        engine_s = watched.engine(engine) if engine else []
    finally:
        watched.close()
    course = Course(platform, path / "evaluator")
    try:
        course.fill()
        first_s, frames, faults = course.step()
        steady_s = [course.step()[0] for _ in range(steady)]
        churn_s: list[float] = []
        for generation in range(churn):
            course.churn(share, generation)
            churn_s.append(course.step()[0])
            steady_s.append(course.step()[0])
    finally:
        course.close()
    return Figures(
        series=platform.series,
        expressions=len(frames) + faults,
        lines=sum(len(frame.tags) for frame in frames.values()),
        faults=faults,
        first_s=first_s,
        steady_s=steady_s,
        churn_s=churn_s,
        engine_s=engine_s,
        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Return a percentile of ``seconds``; NaN of none."""
    return float(np.percentile(seconds, percent)) if len(seconds) else float("nan")
