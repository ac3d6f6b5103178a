"""What every detector remembers of its series, in columns that grow together."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import AlarmArrays, no_alarms
from anomaly.detectors.detector import Improbable, MannerArray, PhaseArray, Scores
from collectors.kernel import inlined
from collectors.model import FloatArray, IntArray

_Kind = TypeVar("_Kind", bound=np.generic)


class Verdicts(NamedTuple):
    """What a kernel fills in, each of shape (steps, series); see :class:`Scores`."""

    score: FloatArray
    expected: FloatArray
    scale: FloatArray
    phase: PhaseArray
    since: IntArray
    manner: MannerArray


class Columns(NamedTuple):
    """What is known of all series, for kernels that change it in place; see SeriesMemory."""

    state: FloatArray
    alarms: AlarmArrays


class SeriesMemory:
    """State and alarms of all series.

    Columns have room for more series than there are, so that a few new ones in every step don't
    mean copying everything in every step.

    Args:
        rows: Numbers that a detector keeps of each series.

    Attributes:
        state: Shape (rows, room); zero for a new series.
        alarms: Shape (room,) each.
        series: Series in use; never more than there is room for.
    """

    def __init__(self, rows: int) -> None:
        self.state: FloatArray = np.zeros((rows, 0))
        self.alarms: AlarmArrays = no_alarms()
        self.series = 0

    @property
    def room(self) -> int:
        """How many series fit without making the columns longer."""
        return int(self.state.shape[1])

    @property
    def columns(self) -> Columns:
        """The state and the alarms, together."""
        return Columns(self.state, self.alarms)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        if series > self.room:
            room = room_for(series, self.room)
            self.state = lengthened(self.state, room)
            self.alarms = AlarmArrays(
                phase=lengthened(self.alarms.phase, room),
                bad=lengthened(self.alarms.bad, room),
                good=lengthened(self.alarms.good, room),
                since=lengthened(self.alarms.since, room),
                missing=lengthened(self.alarms.missing, room),
                held=lengthened(self.alarms.held, room),
            )
        self.series = max(self.series, series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        self.state[:, series] = 0.0
        for column in self.alarms:
            column[series] = 0

    def verdicts(self, steps: int, series: int) -> Verdicts:
        """Return room for the judgement of ``steps`` steps; nothing is known yet."""
        self.grow(series)  # a kernel does not check its bounds
        shape = (steps, series)
        return Verdicts(
            score=np.full(shape, np.nan),
            expected=np.full(shape, np.nan),
            scale=np.full(shape, np.nan),
            phase=np.empty(shape, dtype=np.int8),
            since=np.empty(shape, dtype=np.int64),
            manner=np.zeros(shape, dtype=np.int8),
        )


@inlined
def forget(state: FloatArray, i: int) -> None:
    """Forget all that is known of series ``i``."""
    for row in range(state.shape[0]):
        state[row, i] = 0.0


@inlined
def note_score(
    j: int, i: int, score: float, expected: float, scale: float, verdicts: Verdicts
) -> None:
    """Write down the judgement of series ``i`` in step ``j``."""
    verdicts.score[j, i] = score
    verdicts.expected[j, i] = expected
    verdicts.scale[j, i] = scale


@inlined
def note_alarms(j: int, first: int, last: int, alarms: AlarmArrays, verdicts: Verdicts) -> None:
    """Write down how the alarms of some series stand after step ``j``."""
    for i in range(first, last):
        verdicts.phase[j, i] = alarms.phase[i]
        verdicts.since[j, i] = alarms.since[i]


def scores_of(verdicts: Verdicts, why: Improbable | None = None) -> Scores:
    """Return the judgement that a kernel has filled in."""
    return Scores(
        phase=verdicts.phase,
        score=verdicts.score,
        expected=verdicts.expected,
        scale=verdicts.scale,
        since_steps=verdicts.since,
        why=why,
        manner=verdicts.manner,
    )


def room_for(wanted: int, room: int) -> int:
    """Return how much room to make for ``wanted`` series: a quarter more than before, at least."""
    return max(wanted, room + room // 4)


def lengthened(columns: NDArray[_Kind], room: int) -> NDArray[_Kind]:
    """Return ``columns`` with ``room`` entries along their last axis, the new ones zero."""
    # Zeroed memory is not resident before it is written to: spare room costs nothing.
    longer: NDArray[Any] = np.zeros((*columns.shape[:-1], room), dtype=columns.dtype)
    longer[..., : columns.shape[-1]] = columns
    return longer
