"""How often the numbers and sentences of what goes on firing are written anew.

In every step, as long as there are few. To write them for thousands takes longer than a step, and
would hold up what begins or ends, which is never put off: then each has its turn.
"""

from __future__ import annotations

from anomaly.findings import Finding

REFRESHED_A_STEP = 200
"""Findings of a rule that are written anew in each step, once more than these fire."""


class Refreshing:
    """Turns of one rule's findings.

    Args:
        step_ms: Length of a step.
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._now_ms = 0
        self._asked = self._before = self._given = 0

    def due(self, known: Finding, time_ms: int) -> bool:
        """Return whether ``known``, which goes on, is to be written anew at ``time_ms``."""
        if time_ms != self._now_ms:
            self._now_ms, self._before = time_ms, self._asked
            self._asked = self._given = 0
        self._asked += 1
        turns = -(-self._before // REFRESHED_A_STEP)
        aged = time_ms - known.updated_ms >= turns * self._step_ms
        # A little more than its share a step: what was passed over catches up.
        if not aged or self._given >= 2 * REFRESHED_A_STEP:
            return False
        self._given += 1
        return True
