"""The lines of one inspection, step by step: how long each has been bad, and what it came to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.groups import Groups
from anomaly.inspections.inspection import Inspection
from collectors.model import FloatArray, Frame, IntArray

_MISSING_S = 300.0
_GIVEN_UP_S = 3_600.0
_FEWEST_STEPS = 3
_CLEAR_SHARE = 5


class Line(IntEnum):
    """How a line is."""

    OK = 0
    PENDING = 1
    FIRING = 2
    FROZEN = 3
    GONE = 4


class Turn(StrEnum):
    """What a line came to."""

    FIRES = "fires"
    STILL_FIRES = "still_fires"
    FROZEN = "frozen"
    RECOVERED = "recovered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionTurn:
    """What one line came to: ``value`` is the newest one, ``since_ms`` when it became bad."""

    turn: Turn
    group: int
    value: float
    since_ms: int


class Columns(NamedTuple):
    """What is known of all lines, (lines,) each; replaced from step to step, never written to.

    ``value`` is the newest value, ``bad`` and ``good`` count steps in a row, ``missing`` those
    without a value; ``since`` is the step in which it became bad.
    """

    value: FloatArray
    bad: IntArray
    good: IntArray
    missing: IntArray
    since: IntArray
    state: NDArray[np.int8]

    @classmethod
    def of(cls, lines: int) -> Columns:
        """Return lines of which nothing is known."""
        bad, good, missing, since = (np.zeros(lines, dtype=np.int64) for _ in range(4))
        state = np.full(lines, Line.GONE, dtype=np.int8)
        return cls(np.full(lines, np.nan), bad, good, missing, since, state)

    def copied(self, kept: NDArray[np.intp], lines: int) -> Columns:
        """Return ``lines`` lines, of which those ``kept`` are as here and the others new."""
        fresh = Columns.of(lines)
        fresh.value[kept], fresh.state[kept] = self.value[kept], self.state[kept]
        fresh.bad[kept], fresh.good[kept] = self.bad[kept], self.good[kept]
        fresh.missing[kept], fresh.since[kept] = self.missing[kept], self.since[kept]
        return fresh


class InspectionWatch:
    """State of one inspection.

    Args:
        inspection: What is bad, and for how long it must be.
        step_ms: Length of a step.
    """

    def __init__(self, inspection: Inspection, step_ms: int) -> None:
        self.groups = Groups(inspection.group_by)
        self.columns = Columns.of(0)
        self.updated_ms = 0
        self._inspection = inspection
        self._step_ms = step_ms
        step_s = step_ms / 1_000
        self._for = max(1, math.ceil(inspection.for_s / step_s))
        self._clear = max(_FEWEST_STEPS, self._for // _CLEAR_SHARE)
        self._missing = max(_FEWEST_STEPS, math.ceil(_MISSING_S / step_s))
        self._given_up = max(self._missing + 1, math.ceil(_GIVEN_UP_S / step_s))
        self._table: FloatArray = np.zeros((0, 0))

    def take(self, frame: Frame | None, steps: int) -> None:
        """Take the values of the next steps; None is no data."""
        births = self.groups.births.copy()
        (self._table,) = self.groups.tables([frame], steps, self._is_quiet)
        self._renew(births)

    def mark(self) -> tuple[Columns, IntArray, int]:
        """Return where it stands."""
        return self.columns, self.groups.births.copy(), self.updated_ms

    def back_to(self, mark: tuple[Columns, IntArray, int]) -> None:
        """Stand where it stood; lines that came since are new again."""
        self.columns, births, self.updated_ms = mark
        self._renew(births)

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, InspectionTurn]]:
        """Judge steps; yield what lines come to."""
        if not len(self.groups):
            self.updated_ms = time_ms + (last - first - 1) * self._step_ms
            return
        for step in range(first, last):
            now_ms = time_ms + (step - first) * self._step_ms
            yield from self._advance(self._table[:, step], now_ms)

    def _is_quiet(self, group: int) -> bool:
        state = self.columns.state
        return group >= len(state) or state[group] not in (Line.FIRING, Line.FROZEN)

    def _renew(self, births: IntArray) -> None:
        """Begin with lines that are new, or whose number was given to others."""
        now = self.groups.births
        known = min(len(births), len(self.columns.state))
        new = np.ones(len(now), dtype=np.bool_)
        new[:known] = now[:known] != births[:known]
        if not new.any():
            return
        self.columns = self.columns.copied(np.flatnonzero(~new), len(now))

    def _advance(self, values: FloatArray, now_ms: int) -> Iterator[tuple[int, InspectionTurn]]:
        before = self.columns
        there = np.isfinite(values)
        wrong = there & self._is_wrong(values)
        missing = np.where(there, 0, before.missing + 1)
        # A step without a value says nothing; many of them end what was about to fire.
        lapsed = missing >= self._missing
        bad = np.where(wrong, before.bad + 1, np.where(there | lapsed, 0, before.bad))
        good = np.where(there & ~wrong, before.good + 1, np.where(wrong, 0, before.good))
        since = np.where((bad == 1) & wrong, now_ms, before.since)
        state = self._states(before.state, bad, good, missing)
        # While it fires, a step that is good for once does not move its beginning.
        open_before = np.isin(before.state, (Line.FIRING, Line.FROZEN))
        since = np.where(open_before, before.since, since)
        value = np.where(there, values, before.value)
        self.columns, self.updated_ms = Columns(value, bad, good, missing, since, state), now_ms
        for group in np.flatnonzero(open_before | (state == Line.FIRING)).tolist():
            turn = _turn(Line(before.state[group]), Line(state[group]))
            if turn is not None:
                yield (
                    now_ms,
                    InspectionTurn(
                        turn=turn,
                        group=group,
                        value=float(value[group]),
                        since_ms=int(since[group]) - self._step_ms,
                    ),
                )

    def _states(
        self, before: NDArray[np.int8], bad: IntArray, good: IntArray, missing: IntArray
    ) -> NDArray[np.int8]:
        was_open = np.isin(before, (Line.FIRING, Line.FROZEN))
        calm = np.where(missing >= self._missing, Line.GONE, Line.OK)
        fresh = np.where(bad >= self._for, Line.FIRING, np.where(bad > 0, Line.PENDING, calm))
        still = np.where(missing >= self._missing, Line.FROZEN, Line.FIRING)
        still = np.where(good >= self._clear, Line.OK, still)
        still = np.where(missing >= self._given_up, Line.GONE, still)
        return np.where(was_open, still, fresh).astype(np.int8)

    def _is_wrong(self, values: FloatArray) -> NDArray[np.bool_]:
        inspection = self._inspection
        with np.errstate(invalid="ignore"):
            if inspection.above is not None:
                return np.asarray(values > inspection.above)
            return np.asarray(values < inspection.threshold)


def _turn(before: Line, now: Line) -> Turn | None:
    was_open = before in (Line.FIRING, Line.FROZEN)
    if now is Line.FIRING:
        return Turn.STILL_FIRES if was_open else Turn.FIRES
    if now is Line.FROZEN:
        return Turn.FROZEN if before is Line.FIRING else None
    return Turn.GIVEN_UP if now is Line.GONE else Turn.RECOVERED
