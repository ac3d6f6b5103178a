"""The past that a database still has: where it begins, and what expressions answer over it.

A start asks for much more than a step does. History answers a question about a day hardly slower
than one about an hour, so it is asked for long windows, and only by the rules that look so far
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from anomaly.promql.standing import Standing
from collectors.errors import QueryError, StorageError
from collectors.model import Frame
from collectors.stacklang.lines.database import Aggregate, Consolidation, Database, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf

CHUNK_STEPS = 1_440
LONG_CHUNK_STEPS = 17_280


class Past:
    """Looks back over whole windows.

    Args:
        database: Where the numbers are.
        step_ms: Length of a step.
    """

    def __init__(self, database: Database, step_ms: int) -> None:
        self._database = database
        self._step_ms = step_ms

    def windows(self, start_ms: int, end_ms: int, steps: int) -> Iterator[Window]:
        """Yield windows of at most ``steps`` steps from ``start_ms`` up to ``end_ms``."""
        while start_ms <= end_ms:
            last_ms = min(end_ms, start_ms + (steps - 1) * self._step_ms)
            yield Window(start_ms=start_ms, end_ms=last_ms, step_ms=self._step_ms)
            start_ms = last_ms + self._step_ms

    def begins_ms(self, start_ms: int, end_ms: int) -> int | None:
        """Return the first step with any data, None if there is none between the two times.

        The database is asked, not the rules: a comparison answers 0 where there is nothing.
        """
        for window in self.windows(start_ms, end_ms, LONG_CHUNK_STEPS):
            skipped = self.steps_before_data(window)
            if skipped < window.steps:
                return window.start_ms + skipped * self._step_ms
        return None

    def steps_before_data(self, window: Window) -> int:
        """Return how many leading steps of ``window`` come before any data; 0 if nobody knows."""
        everything = Fetch(
            query=AnyOf(),
            aggregate=Aggregate.COUNT,
            consolidation=Consolidation.AVG,
            window=window,
        )
        try:
            values = self._database.fetch(everything).values
        except (QueryError, StorageError):
            return 0  # what can't be skipped is evaluated
        present = np.isfinite(values).any(axis=0)
        return int(present.argmax()) if present.any() else window.steps

    def answers(
        self, expressions: Sequence[str], start_ms: int, end_ms: int
    ) -> Iterator[tuple[Window, Mapping[str, Frame]]]:
        """Yield window after window with what ``expressions`` answer over it, by expression.

        Where a long window asks for too much at once, shorter ones follow.
        """
        steps = LONG_CHUNK_STEPS
        standing = Standing(expressions, self._step_ms, self._database)
        while start_ms <= end_ms:
            window = next(self.windows(start_ms, end_ms, steps))
            found = standing.advance_window(self._database, window)
            if standing.errors and window.steps > CHUNK_STEPS:
                steps = CHUNK_STEPS
                standing = Standing(expressions, self._step_ms, self._database)
                continue
            yield window, found
            start_ms = window.end_ms + self._step_ms


def steps_until(window: Window, time_ms: int) -> int:
    """Return how many steps of ``window`` have ended by ``time_ms``."""
    return min(window.steps, max(0, (time_ms - window.start_ms) // window.step_ms + 1))
