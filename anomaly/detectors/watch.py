"""One detector rule, watched step by step: values in, openings and endings of anomalies out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from anomaly.detectors.detector import Phase, Scores
from anomaly.detectors.registry import DETECTORS
from anomaly.detectors.rule import DetectorRule
from anomaly.groups import Groups
from collectors.model import FloatArray, Frame, Tags


class Turn(StrEnum):
    """What happened to one series in this step."""

    WENT_WRONG = "went_wrong"
    STILL_WRONG = "still_wrong"
    RECOVERED = "recovered"
    WENT_MISSING = "went_missing"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesChange:
    """One series' turn with the numbers behind it.

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


class DetectorWatch:
    """State of one rule.

    Args:
        rule: What is watched.
        step_ms: Length of a step.
    """

    def __init__(self, rule: DetectorRule, step_ms: int) -> None:
        self.rule = rule
        self.groups = Groups(rule.group_by)
        self.step_ms = step_ms
        self.updated_ms = 0
        self.values: FloatArray = np.zeros(0)
        self.scores: Scores | None = None
        self.usual: FloatArray = np.zeros(0)
        self._table: FloatArray = np.zeros((0, 0))
        parameters = replace(rule.parameters, step_s=step_ms / 1_000)
        self._detector = DETECTORS[rule.detector](parameters)

    @property
    def needs_the_past(self) -> bool:
        """Whether more than the last hour or so matters: only seasons reach further back."""
        return self.rule.detector == "seasonal"

    def take(self, frame: Frame | None, steps: int) -> None:
        """Take the values of the next ``steps`` steps, to be judged one by one; None is no data."""
        self._table = self.groups.table(frame, steps)
        self._detector.grow(len(self._table))

    def advance(self, index: int, time_ms: int) -> list[SeriesChange]:
        """Judge step ``index`` of what was taken, which ends at ``time_ms``; return what turned."""
        values = np.ascontiguousarray(self._table[:, index])
        before = self.scores
        self.values = values
        scores = self._detector.observe(values, time_ms // self.step_ms)
        self.scores = scores
        self.updated_ms = time_ms
        # What was last expected outlives a gap, so that the gap can be told against it.
        earlier = np.concatenate([self.usual, np.full(len(values) - len(self.usual), np.nan)])
        self.usual = np.where(np.isnan(scores.expected), earlier, scores.expected)
        old = np.zeros(len(values), dtype=np.int8)
        if before is not None:
            old[: len(before.phase)] = before.phase
        interesting = (old != scores.phase) | (scores.phase == Phase.ANOMALOUS)
        changes = []
        for group in np.flatnonzero(interesting):
            turn = _turn(Phase(old[group]), Phase(scores.phase[group]))
            if turn is not None:
                changes.append(self._change(int(group), turn, scores, time_ms))
        return changes

    def _change(self, group: int, turn: Turn, scores: Scores, time_ms: int) -> SeriesChange:
        since = int(scores.since_steps[group])
        return SeriesChange(
            turn=turn,
            group=group,
            scope={**self.rule.scope, **self.groups.scopes[group]},
            value=float(self.values[group]),
            score=float(scores.score[group]),
            expected=float(self.usual[group]),
            scale=float(scores.scale[group]),
            since_ms=time_ms - max(1, since) * self.step_ms,
            relearned=scores.phase[group] == Phase.WARMING_UP,
        )


def _turn(old: Phase, new: Phase) -> Turn | None:
    if new is Phase.MISSING:
        return Turn.WENT_MISSING if old is not Phase.MISSING else None
    if old is Phase.MISSING:
        return Turn.CAME_BACK
    if new is Phase.ANOMALOUS:
        return Turn.STILL_WRONG if old is Phase.ANOMALOUS else Turn.WENT_WRONG
    return Turn.RECOVERED if old is Phase.ANOMALOUS else None
