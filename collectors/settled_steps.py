"""Metrics made of other telemetry: each step once, when all of it has had time to come."""

from __future__ import annotations

from collections.abc import Callable

from collectors.errors import OverloadedError, StorageError
from collectors.model import Batch, MetricWriter

WAIT_MS = 15_000
"""How long telemetry may take from its time to us: senders collect it for some seconds."""
MAX_BEHIND_MS = 600_000
"""How much of the past is made up for after a start or a pause."""


class SettledSteps:
    """Writes the steps that are over and have settled.

    Args:
        made: Returns the samples of the steps that end after the first time and up to the second.
        writer: Where they go.
        newest_ms: Returns the end of the newest step that was written before a start, 0 for none.
        step_ms: Length of a step.
        replayed: Whether what came before a start is known again.
    """

    def __init__(
        self,
        made: Callable[[int, int], Batch],
        writer: MetricWriter,
        newest_ms: Callable[[], int],
        step_ms: int,
        replayed: Callable[[], bool],
    ) -> None:
        self._made = made
        self._writer = writer
        self._newest_ms = newest_ms
        self._step_ms = step_ms
        self._replayed = replayed
        self._done_ms = 0

    def tick(self, now_ms: int) -> int:
        """Write the steps that have settled; return how many.

        A store that refuses them now is asked again the next time.
        """
        ready_ms = (now_ms - WAIT_MS) // self._step_ms * self._step_ms
        if not self._done_ms:
            if not self._replayed():
                return 0
            self._done_ms = max(self._newest_ms(), 0)
        if self._done_ms > ready_ms + MAX_BEHIND_MS:
            self._done_ms = ready_ms  # time was set back
        start_ms = max(self._done_ms, ready_ms - MAX_BEHIND_MS // self._step_ms * self._step_ms)
        if start_ms >= ready_ms:
            return 0
        batch = self._made(start_ms, ready_ms)
        try:
            if len(batch):
                self._writer.write(batch)
        except (OverloadedError, StorageError):
            return 0
        self._done_ms = ready_ms
        return (ready_ms - start_ms) // self._step_ms
