"""The series of one detector rule, step by step: values in, what turned out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.detector import Manner, Phase, Scores
from anomaly.detectors.registry import detectors
from anomaly.groups import Groups
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.novelty_words import Why
from anomaly.suffering import Period, Suffering, first_that_concerns
from collectors.model import FloatArray, Frame, IntArray, Tags

# Bounds the memory of a judgement: some six numbers for each series and step.
_MAX_CELLS_AT_ONCE = 262_144


class Turn(StrEnum):
    """What happened to one series in this step."""

    WENT_WRONG = "went_wrong"
    STILL_WRONG = "still_wrong"
    RECOVERED = "recovered"
    WENT_MISSING = "went_missing"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTransition:
    """What one series turned to, with the numbers behind it.

    ``relearned`` says that it did not recover: the new state has been taken as normal. ``why`` is
    what a detector that judges by probabilities says, log10 of them; ``manner`` in what way it is
    wrong; ``whole`` of how many the value is a part, NaN where that is not asked for. ``held`` says
    why it is not taken as normal although it lasts; ``normal_ms`` when it will be.
    """

    turn: Turn
    group: int
    scope: Tags
    value: float
    score: float
    expected: float
    scale: float
    since_ms: int
    relearned: bool = False
    why: Why | None = None
    manner: Manner = Manner.MOVED
    whole: float = math.nan
    held: str = ""
    normal_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMark:
    """Where a watch stood; arrays are replaced from step to step, never written to."""

    detector: object
    values: FloatArray
    scores: Scores | None
    usual: FloatArray
    updated_ms: int
    births: IntArray


class DetectorWatch:
    """State of one rule.

    Args:
        definition: What is watched, and how.
        step_ms: Length of a step.
    """

    def __init__(self, definition: DetectorDefinition, step_ms: int) -> None:
        self.groups = Groups(definition.group_by)
        self.step_ms = step_ms
        self.updated_ms = 0
        self.values: FloatArray = np.zeros(0)
        self.scores: Scores | None = None
        self.usual: FloatArray = np.zeros(0)
        self._scope = definition.scope
        missing = () if definition.when_missing is None else (Phase.MISSING,)
        self._open_phases = (Phase.ANOMALOUS, *missing)
        self._table: FloatArray = np.zeros((0, 0))
        self._blind: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        kind = detectors()[definition.detector]
        self._volume: FloatArray | None = np.zeros((0, 0)) if kind.volume else None
        self._suffering = Suffering()
        self._heeded: list[Period | None] = []
        self._heeded_of: object = None
        self._relearn_steps = definition.parameters.relearn_steps
        self._detector = kind.make(replace(definition.parameters, step_s=step_ms / 1_000))

    def heed(self, suffering: Suffering) -> None:
        """Get used to nothing in a place while users suffer there."""
        self._suffering = suffering

    def take(
        self, frame: Frame | None, blind: NDArray[np.bool_], whole: Frame | None = None
    ) -> None:
        """Take the values of the next steps, to be judged one by one.

        Args:
            frame: None is no data.
            blind: (steps,) in which of them nothing was received from anybody: they say nothing.
            whole: Of how many the lines are a part, where that is asked for.
        """
        births = self.groups.births.copy()
        frames = [frame, whole] if self._volume is not None else [frame]
        self._table, *others = self.groups.tables(frames, len(blind), self._is_quiet)
        if others:
            (self._volume,) = others
        self._blind = blind
        self._detector.grow(len(self._table))
        self._reset(np.flatnonzero(self.groups.births[: len(births)] != births))

    def _is_quiet(self, group: int) -> bool:
        """Return whether nothing is open about a group: none of its findings waits for an end."""
        scores = self.scores
        if scores is None or group >= len(scores.phase):
            return True
        return scores.phase[group] not in self._open_phases

    def _reset(self, groups: NDArray[np.intp]) -> None:
        """Start again with groups whose numbers were given to others."""
        if not len(groups):
            return
        self._detector.forget(groups)
        if self.scores is not None:
            known = groups[groups < len(self.scores.phase)]
            phase = self.scores.phase.copy()
            phase[known] = Phase.WARMING_UP
            self.scores = replace(self.scores, phase=phase)
        usual = self.usual.copy()
        usual[groups[groups < len(usual)]] = np.nan
        self.usual = usual

    def mark(self) -> WatchMark:
        """Return where it stands."""
        return WatchMark(
            detector=self._detector.mark(),
            values=self.values,
            scores=self.scores,
            usual=self.usual,
            updated_ms=self.updated_ms,
            births=self.groups.births.copy(),
        )

    def back_to(self, mark: WatchMark) -> None:
        """Stand where it stood; series that came since are new again."""
        self._detector.back_to(mark.detector)
        self.values, self.scores, self.usual = mark.values, mark.scores, mark.usual
        self.updated_ms = mark.updated_ms
        self._heeded_of = None
        same = self.groups.births[: len(mark.births)] == mark.births
        self._detector.grow(len(self.groups))
        self._reset(np.flatnonzero(~same))

    def advance(
        self, first: int, last: int, time_ms: int
    ) -> Iterator[tuple[int, SeriesTransition]]:
        """Judge steps ``first`` up to and without ``last`` of what was taken, at once.

        Args:
            first: Column of the first step.
            last: Column after the last step.
            time_ms: When the first of them ended.

        Yields:
            When what turned did so, and what it was, in the order of the steps.
        """
        at_once = max(1, _MAX_CELLS_AT_ONCE // max(1, len(self._table)))
        for run_first, run_last in _runs(~self._blind[first:last]):
            for start in range(first + run_first, first + run_last, at_once):
                start_ms = time_ms + (start - first) * self.step_ms
                stop = min(first + run_last, start + at_once)
                for part_first, part_last, part_ms in self._while_alike(start, stop, start_ms):
                    self._hold(part_ms)
                    yield from self._advance_steps(part_first, part_last, part_ms)

    def _while_alike(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, int, int]]:
        """Yield steps by the runs in which the same users suffer, and when the first ended."""
        last_ms = time_ms + (last - 1 - first) * self.step_ms
        edges = [
            first - (time_ms - edge) // self.step_ms
            for edge in self._suffering.edges_ms(time_ms, last_ms)
        ]
        for start, stop in pairwise(sorted({first, *edges, last})):
            yield start, stop, time_ms + (start - first) * self.step_ms

    def _hold(self, time_ms: int) -> None:
        """Have the detector get used to nothing where users suffer at a time."""
        periods = self._suffering.at(time_ms)
        of = (tuple(periods), self.groups.born)
        if of == self._heeded_of:
            return
        self._heeded_of = of
        scopes = [{**self._scope, **one} for one in self.groups.scopes]
        self._heeded = [first_that_concerns(periods, one) for one in scopes]
        self._detector.hold(np.array([one is not None for one in self._heeded], dtype=np.bool_))

    def _advance_steps(
        self, first: int, last: int, time_ms: int
    ) -> Iterator[tuple[int, SeriesTransition]]:
        values = np.ascontiguousarray(self._table[:, first:last].T)
        series = values.shape[1]
        before = np.zeros(series, dtype=np.int8)
        if self.scores is not None:
            before[: len(self.scores.phase)] = self.scores.phase
        volume = None
        if self._volume is not None:
            volume = np.ascontiguousarray(self._volume[:, first:last].T)
        scores = self._detector.observe_steps(values, time_ms // self.step_ms, volume)
        # What was last expected outlives a gap, so that the gap can be told against it.
        earlier = np.concatenate([self.usual, np.full(series - len(self.usual), np.nan)])
        usual = _carried(earlier, scores.expected)
        self.values, self.scores, self.usual = values[-1], scores.at(-1), usual[-1]
        self.updated_ms = time_ms + (last - first - 1) * self.step_ms
        old = np.concatenate([before[np.newaxis], scores.phase[:-1]])
        interesting = (old != scores.phase) | (scores.phase == Phase.ANOMALOUS)
        for step, group in np.argwhere(interesting).tolist():
            turn = _turn(Phase(old[step, group]), Phase(scores.phase[step, group]))
            if turn is not None:
                now_ms = time_ms + step * self.step_ms
                cell = _Cell(
                    values=values[step],
                    scores=scores.at(step),
                    usual=usual[step],
                    group=group,
                    volume=None if volume is None else volume[step],
                )
                yield now_ms, self._transition(cell, turn, now_ms)

    def _transition(self, cell: _Cell, turn: Turn, time_ms: int) -> SeriesTransition:
        group, scores = cell.group, cell.scores
        since = int(scores.since_steps[group])
        left = self._relearn_steps - since
        why_held = self._heeded[group] if group < len(self._heeded) else None
        return SeriesTransition(
            turn=turn,
            group=group,
            scope={**self._scope, **self.groups.scopes[group]},
            value=float(cell.values[group]),
            score=float(scores.score[group]),
            expected=float(cell.usual[group]),
            scale=float(scores.scale[group]),
            since_ms=time_ms - max(1, since) * self.step_ms,
            relearned=bool(scores.phase[group] == Phase.WARMING_UP),
            why=None if scores.why is None else Why(*(float(part[group]) for part in scores.why)),
            manner=Manner.MOVED if scores.manner is None else Manner(int(scores.manner[group])),
            whole=math.nan if cell.volume is None else float(cell.volume[group]),
            held=why_held.title if why_held is not None and left <= 0 else "",
            normal_ms=time_ms + max(0, left) * self.step_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One series in one step: all series' values, judgement and expectation, and which it is."""

    values: FloatArray
    scores: Scores
    usual: FloatArray
    group: int
    volume: FloatArray | None = None


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of true values start and end."""
    if len(there) and there.all():
        return [(0, len(there))]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _carried(earlier: FloatArray, rows: FloatArray) -> FloatArray:
    """Return ``rows`` with the last known value of each column in place of NaN."""
    if len(rows) == 1:
        return np.where(np.isnan(rows), earlier, rows)
    table = np.concatenate([earlier[np.newaxis], rows])
    newest = np.where(np.isnan(table), 0, np.arange(len(table))[:, np.newaxis])
    np.maximum.accumulate(newest, axis=0, out=newest)
    return np.take_along_axis(table, newest, axis=0)[1:]


def _turn(old: Phase, new: Phase) -> Turn | None:
    if new is Phase.MISSING:
        return Turn.WENT_MISSING if old is not Phase.MISSING else None
    if old is Phase.MISSING:
        return Turn.CAME_BACK
    if new is Phase.ANOMALOUS:
        return Turn.STILL_WRONG if old is Phase.ANOMALOUS else Turn.WENT_WRONG
    return Turn.RECOVERED if old is Phase.ANOMALOUS else None
