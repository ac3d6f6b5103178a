"""From scores to phases: confirmation, hysteresis and missing values, shared by all detectors."""

from __future__ import annotations

import numpy as np
from numba import njit

from anomaly.detectors.detector import Phase, PhaseArray
from collectors.model import IntArray

WARMING_UP = int(Phase.WARMING_UP)
NORMAL = int(Phase.NORMAL)
ANOMALOUS = int(Phase.ANOMALOUS)
MISSING = int(Phase.MISSING)
LOW_VOLUME = int(Phase.LOW_VOLUME)


class Alarms:
    """Memory of the alarms of all series; the kernels change its arrays in place.

    ``bad`` counts steps of the present run of excess, ``good`` the good steps in a row while
    anomalous, ``since`` the steps since an anomaly began, ``missing`` the steps without value.
    """

    def __init__(self) -> None:
        self.phase: PhaseArray = np.zeros(0, dtype=np.int8)
        self.bad: IntArray = np.zeros(0, dtype=np.int64)
        self.good: IntArray = np.zeros(0, dtype=np.int64)
        self.since: IntArray = np.zeros(0, dtype=np.int64)
        self.missing: IntArray = np.zeros(0, dtype=np.int64)

    def grow(self, series: int) -> None:
        """Make room for ``series`` series."""
        extra = series - len(self.phase)
        if extra > 0:
            self.phase = np.concatenate([self.phase, np.zeros(extra, dtype=np.int8)])
            for name in ("bad", "good", "since", "missing"):
                old: IntArray = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros(extra, dtype=np.int64)]))


@njit(cache=True, nogil=True)
def judge(
    score: float,
    i: int,
    phase: PhaseArray,
    bad: IntArray,
    good: IntArray,
    since: IntArray,
    confirm_steps: int,
    extreme: float,
    clear_steps: int,
) -> None:
    """Move series ``i`` on by one score (1.0 is the limit), with confirmation and hysteresis."""
    if phase[i] == ANOMALOUS:
        since[i] += 1
        good[i] = good[i] + 1 if score < 0.5 else 0
        if good[i] >= clear_steps:
            phase[i] = NORMAL
            bad[i] = 0
            since[i] = 0
        return
    bad[i] = bad[i] + 1 if score >= 1.0 else 0
    if bad[i] >= confirm_steps or score >= extreme:
        phase[i] = ANOMALOUS
        good[i] = 0
        since[i] = max(1, bad[i])
    else:
        phase[i] = NORMAL


@njit(cache=True, nogil=True)
def note_missing(i: int, phase: PhaseArray, missing: IntArray, missing_steps: int) -> None:
    """Count a step without value for series ``i``."""
    missing[i] += 1
    if missing[i] >= missing_steps and phase[i] != WARMING_UP:
        phase[i] = MISSING


@njit(cache=True, nogil=True)
def note_present(i: int, phase: PhaseArray, since: IntArray, missing: IntArray) -> None:
    """Series ``i`` has a value again: go on where it was before the gap."""
    missing[i] = 0
    if phase[i] == MISSING:
        phase[i] = ANOMALOUS if since[i] > 0 else NORMAL
