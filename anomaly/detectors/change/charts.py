"""The four charts: up, down, wider, narrower; each a sum that evidence adds to."""

from __future__ import annotations

from anomaly.detectors.change.row import CHART, CHARTS, OFF, RUN, SIZE, SUM, WIDER
from anomaly.detectors.change.settings import ChangeSettings
from anomaly.detectors.detector import Manner
from collectors.kernel import inlined
from collectors.model import FloatArray

MANNERS = (int(Manner.MOVED), int(Manner.MOVED), int(Manner.WIDER), int(Manner.NARROWER))
"""In what way a line is wrong, by chart."""


@inlined
def _add(state: FloatArray, i: int, chart: int, gain: float) -> None:
    """Add to a chart's sum, which never falls below 0."""
    total = max(0.0, state[SUM + chart, i] + gain)
    state[SUM + chart, i] = total
    state[RUN + chart, i] = state[RUN + chart, i] + 1.0 if total > 0.0 else 0.0


@inlined
def highest(state: FloatArray, i: int, settings: ChangeSettings) -> int:
    """Return the chart with the highest sum among those that are told of."""
    side, best = settings.residual.side, -1
    for chart in range(CHARTS if settings.spread else WIDER):
        told = side == 0 or (chart == 0 and side > 0) or (chart == 1 and side < 0)
        if told and (best < 0 or state[SUM + chart, i] > state[SUM + best, i]):
            best = chart
    return best


@inlined
def off_by(z: float, root: float, chart: int) -> float:
    """Return by how many sigmas a value is off in the way of a chart."""
    if chart == 0:
        return z
    if chart == 1:
        return -z
    return root if chart == WIDER else -root


@inlined
def begin(state: FloatArray, i: int, chart: int, settings: ChangeSettings) -> int:
    """Keep of which chart an alarm is and how large the change; return since how many steps."""
    run = max(1.0, state[RUN + chart, i])
    size = state[SUM + chart, i] / run + settings.slack
    state[CHART, i] = chart + 1.0
    state[SIZE, i] = size
    state[OFF, i] = size
    for each in range(CHARTS):
        state[SUM + each, i] = 0.0
        state[RUN + each, i] = 0.0
    return int(run)


@inlined
def score_of(state: FloatArray, i: int, z: float, root: float, settings: ChangeSettings) -> float:
    """Return the score of a series that is well so far: the highest sum over its limit."""
    slack = settings.slack
    _add(state, i, 0, z - slack)
    _add(state, i, 1, -z - slack)
    _add(state, i, WIDER, root - slack)
    _add(state, i, WIDER + 1, -root - slack)
    return float(state[SUM + highest(state, i, settings), i] / settings.limit)
