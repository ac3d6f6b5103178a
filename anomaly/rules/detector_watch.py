"""The series of one detector rule, step by step: values in, what turned out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.detector import Phase, Scores
from anomaly.detectors.registry import detectors
from anomaly.groups import Groups
from anomaly.rules.detector_definition import DetectorDefinition
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

    ``relearned`` says that it did not recover: the new state has been taken as normal.
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
        parameters = replace(definition.parameters, step_s=step_ms / 1_000)
        self._detector = detectors()[definition.detector].make(parameters)

    def take(self, frame: Frame | None, blind: NDArray[np.bool_]) -> None:
        """Take the values of the next steps, to be judged one by one.

        Args:
            frame: None is no data.
            blind: (steps,) in which of them nothing was received from anybody: they say nothing.
        """
        births = self.groups.births.copy()
        (self._table,) = self.groups.tables([frame], len(blind), self._is_quiet)
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
                yield from self._advance_steps(start, stop, start_ms)

    def _advance_steps(
        self, first: int, last: int, time_ms: int
    ) -> Iterator[tuple[int, SeriesTransition]]:
        values = np.ascontiguousarray(self._table[:, first:last].T)
        series = values.shape[1]
        before = np.zeros(series, dtype=np.int8)
        if self.scores is not None:
            before[: len(self.scores.phase)] = self.scores.phase
        scores = self._detector.observe_steps(values, time_ms // self.step_ms)
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
                    values=values[step], scores=scores.at(step), usual=usual[step], group=group
                )
                yield now_ms, self._transition(cell, turn, now_ms)

    def _transition(self, cell: _Cell, turn: Turn, time_ms: int) -> SeriesTransition:
        group, scores = cell.group, cell.scores
        since = int(scores.since_steps[group])
        return SeriesTransition(
            turn=turn,
            group=group,
            scope={**self._scope, **self.groups.scopes[group]},
            value=float(cell.values[group]),
            score=float(scores.score[group]),
            expected=float(cell.usual[group]),
            scale=float(scores.scale[group]),
            since_ms=time_ms - max(1, since) * self.step_ms,
            relearned=scores.phase[group] == Phase.WARMING_UP,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One series in one step: all series' values, judgement and expectation, and which it is."""

    values: FloatArray
    scores: Scores
    usual: FloatArray
    group: int


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
