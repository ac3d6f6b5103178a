"""A metric reader with the same value everywhere: for tests and drills."""

from __future__ import annotations

import numpy as np

from collectors.errors import QueryError
from collectors.model import Frame


class FlatMetrics:
    """Answers every expression with one line.

    Args:
        before: Value up to ``onset_ms``.
        after: Value past it.
        onset_ms: Where the value changes, epoch milliseconds.
        step_ms: Step of the answers, milliseconds.

    Attributes:
        asked: Expressions that were read; one with ``broken`` in it can't be evaluated.
    """

    def __init__(
        self, *, before: float = 0.0, after: float = 0.0, onset_ms: int = 0, step_ms: int = 5_000
    ) -> None:
        self._before = before
        self._after = after
        self._onset_ms = onset_ms
        self._step_ms = step_ms
        self.asked: list[str] = []

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        """Return one line from ``start_ms`` to ``end_ms``."""
        self.asked.append(expression)
        if "broken" in expression:
            raise QueryError(f"{expression!r} can't be evaluated")
        first_ms = -(-(start_ms + 1) // self._step_ms) * self._step_ms
        times = np.arange(first_ms, end_ms + 1, self._step_ms)
        values = np.where(times > self._onset_ms, self._after, self._before)
        return Frame(
            start_ms=first_ms,
            step_ms=self._step_ms,
            tags=[{}],
            labels=[expression],
            values=values.reshape(1, -1).astype(np.float64),
        )
