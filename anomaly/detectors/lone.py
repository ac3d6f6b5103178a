"""Wild values that come alone: how wild a series has shown them to be tells how wild is too wild.

A line with heavy tails, such as latencies or sizes, has single values far out that mean nothing.
One such value alone is told when it is well beyond those that came alone before; two in a row
always are. What is remembered is the record of lone scores, as peaks over a threshold are watched
for their extremes (Pickands, 1975); it fades, so that a series that has become calm is told again.
"""

from __future__ import annotations

from anomaly.detectors.alarm import ANOMALOUS, AlarmArrays
from collectors.kernel import inlined
from collectors.model import FloatArray

LONE_ROWS = 2
"""The record, then the score of a wild value of which it is not known yet whether it is alone."""

_BEYOND = 1.25
_KEPT = 0.5 ** (1 / 10_000)
"""The record fades to a half in so many steps: about a day of 10 s."""
_JUST_BELOW = 0.99


@inlined
def unless_lone(
    score: float, i: int, row: int, state: FloatArray, alarms: AlarmArrays, extreme: float
) -> float:
    """Return the score to judge by: below ``extreme`` for what has come alone as wild before.

    Args:
        score: 1.0 is the limit.
        i: Of which series.
        row: Where in the state its record is kept.
        state: Of all.
        alarms: Of all, before this step is judged.
        extreme: The score that is told at once.
    """
    record, waiting = state[row, i] * _KEPT, state[row + 1, i]
    if score >= 1.0:
        # After another one it is not alone, and that one was not either.
        state[row + 1, i] = score if waiting == 0.0 and alarms.bad[i] == 0 else -1.0
    else:
        if waiting > 0.0:
            record = max(record, waiting)
        state[row + 1, i] = 0.0
    state[row, i] = record
    if alarms.phase[i] != ANOMALOUS and score >= extreme and score < _BEYOND * record:
        return _JUST_BELOW * extreme
    return score
