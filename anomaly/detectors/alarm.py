"""From scores to phases: confirmation, hysteresis and missing values, shared by all detectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anomaly.detectors.detector import Phase, PhaseArray
from collectors.kernel import inlined
from collectors.model import IndexArray

WARMING_UP = int(Phase.WARMING_UP)
NORMAL = int(Phase.NORMAL)
ANOMALOUS = int(Phase.ANOMALOUS)
MISSING = int(Phase.MISSING)
LOW_VOLUME = int(Phase.LOW_VOLUME)


class AlarmArrays(NamedTuple):
    """Memory of the alarms of all series; the kernels change it in place.

    ``bad`` counts steps of the present run of excess, ``good`` the good steps in a row while
    anomalous, ``since`` the steps since an anomaly began, ``missing`` the steps without value.
    """

    phase: PhaseArray
    bad: IndexArray
    good: IndexArray
    since: IndexArray
    missing: IndexArray


def no_alarms() -> AlarmArrays:
    """Return the alarms of no series."""
    counters = (np.zeros(0, dtype=np.int32) for _ in range(4))
    return AlarmArrays(np.zeros(0, dtype=np.int8), *counters)


@inlined
def judge(
    score: float,
    i: int,
    alarms: AlarmArrays,
    confirm_steps: int,
    extreme: float,
    clear_steps: int,
) -> None:
    """Move series ``i`` on by one score (1.0 is the limit), with confirmation and hysteresis."""
    if alarms.phase[i] == ANOMALOUS:
        alarms.since[i] += 1
        alarms.good[i] = alarms.good[i] + 1 if score < 0.5 else 0
        if alarms.good[i] >= clear_steps:
            alarms.phase[i] = NORMAL
            alarms.bad[i] = 0
            alarms.since[i] = 0
    else:
        alarms.bad[i] = alarms.bad[i] + 1 if score >= 1.0 else 0
        if alarms.bad[i] >= confirm_steps or score >= extreme:
            alarms.phase[i] = ANOMALOUS
            alarms.good[i] = 0
            alarms.since[i] = max(1, alarms.bad[i])
        else:
            alarms.phase[i] = NORMAL


@inlined
def relearn(i: int, alarms: AlarmArrays, relearn_steps: int) -> bool:
    """Return whether series ``i`` has been anomalous for so long that it starts afresh."""
    over = bool(alarms.phase[i] == ANOMALOUS and alarms.since[i] >= relearn_steps)
    if over:
        alarms.phase[i] = WARMING_UP
        alarms.bad[i] = 0
        alarms.since[i] = 0
    return over


@inlined
def note_missing(i: int, alarms: AlarmArrays, missing_steps: int) -> None:
    """Count a step without value for series ``i``."""
    alarms.missing[i] += 1
    if alarms.missing[i] >= missing_steps and alarms.phase[i] != WARMING_UP:
        alarms.phase[i] = MISSING


@inlined
def note_present(i: int, alarms: AlarmArrays) -> None:
    """Series ``i`` has a value again: go on where it was before the gap."""
    alarms.missing[i] = 0
    if alarms.phase[i] == MISSING:
        alarms.phase[i] = ANOMALOUS if alarms.since[i] > 0 else NORMAL
