"""From scores to phases: confirmation, hysteresis and missing values, shared by all detectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.detector import Phase, PhaseArray
from anomaly.detectors.parameters import Parameters
from collectors.kernel import inlined
from collectors.model import IndexArray

WARMING_UP = int(Phase.WARMING_UP)
NORMAL = int(Phase.NORMAL)
ANOMALOUS = int(Phase.ANOMALOUS)
MISSING = int(Phase.MISSING)
LOW_VOLUME = int(Phase.LOW_VOLUME)
FURTHEST = 1e100
"""Beyond, squares and their sums no longer fit into double precision."""


class AlarmArrays(NamedTuple):
    """Memory of the alarms of all series; the kernels change it in place.

    ``bad`` counts steps of the present run of excess, ``good`` the good steps in a row while
    anomalous, ``since`` the steps since an anomaly began, ``missing`` the steps without value,
    ``held`` that it must not get used to what is anomalous, however long that lasts.
    """

    phase: PhaseArray
    bad: IndexArray
    good: IndexArray
    since: IndexArray
    missing: IndexArray
    held: NDArray[np.bool_]


def no_alarms() -> AlarmArrays:
    """Return the alarms of no series."""

    def none() -> IndexArray:
        return np.zeros(0, dtype=np.int32)

    return AlarmArrays(
        phase=np.zeros(0, dtype=np.int8),
        bad=none(),
        good=none(),
        since=none(),
        missing=none(),
        held=np.zeros(0, dtype=np.bool_),
    )


class AlarmSettings(NamedTuple):
    """When a series' alarm begins and ends, for kernels.

    Attributes:
        min_steps: Values to learn from before anything is said.
        confirm_steps: Steps in a row over the limit that make an anomaly...
        extreme: ...unless one score alone is this high.
        clear_steps: Good steps in a row that end an anomaly.
        missing_steps: Steps without a value after which a series is missing.
        relearn_steps: Anomalous steps after which the new state is taken as normal.
    """

    min_steps: int
    confirm_steps: int
    extreme: float
    clear_steps: int
    missing_steps: int
    relearn_steps: int


def alarm_settings(parameters: Parameters, *, confirm_steps: int, extreme: float) -> AlarmSettings:
    """Return when alarms begin and end, from what every detector has and what this one adds."""
    return AlarmSettings(
        min_steps=parameters.min_steps,
        confirm_steps=confirm_steps,
        extreme=extreme,
        clear_steps=parameters.clear_steps,
        missing_steps=parameters.missing_steps,
        relearn_steps=parameters.relearn_steps,
    )


@inlined
def has_value(x: float, i: int, alarms: AlarmArrays, settings: AlarmSettings) -> bool:
    """Return whether series ``i`` has a value in this step, and count it as there or missing.

    What is infinite, or so large that its square would be, is no measurement.
    """
    if not abs(x) <= FURTHEST:
        alarms.missing[i] += 1
        if alarms.missing[i] >= settings.missing_steps and alarms.phase[i] != WARMING_UP:
            alarms.phase[i] = MISSING
        return False
    alarms.missing[i] = 0
    if alarms.phase[i] == MISSING:
        # It goes on where it was before the gap.
        alarms.phase[i] = ANOMALOUS if alarms.since[i] > 0 else NORMAL
    return True


@inlined
def judge(score: float, i: int, alarms: AlarmArrays, settings: AlarmSettings) -> None:
    """Move series ``i`` on by one score (1.0 is the limit), with confirmation and hysteresis."""
    if alarms.phase[i] == ANOMALOUS:
        alarms.since[i] += 1
        alarms.good[i] = alarms.good[i] + 1 if score < 0.5 else 0
        if alarms.good[i] >= settings.clear_steps:
            alarms.phase[i] = NORMAL
            alarms.bad[i] = 0
            alarms.since[i] = 0
    else:
        alarms.bad[i] = alarms.bad[i] + 1 if score >= 1.0 else 0
        if alarms.bad[i] >= settings.confirm_steps or score >= settings.extreme:
            alarms.phase[i] = ANOMALOUS
            alarms.good[i] = 0
            alarms.since[i] = max(1, alarms.bad[i])
        else:
            alarms.phase[i] = NORMAL


@inlined
def relearn(i: int, alarms: AlarmArrays, settings: AlarmSettings) -> bool:
    """Return whether series ``i`` has been anomalous for so long that it starts afresh."""
    over = bool(
        alarms.phase[i] == ANOMALOUS
        and alarms.since[i] >= settings.relearn_steps
        and not alarms.held[i]
    )
    if over:
        alarms.phase[i] = WARMING_UP
        alarms.bad[i] = 0
        alarms.since[i] = 0
    return over
