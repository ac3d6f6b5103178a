"""The model is a projection of the event log: a region that begins again reads the log again."""

from __future__ import annotations

import time
from collections.abc import Callable

from demo_stack.eventlog.broker import Broker
from demo_stack.eventlog.log import Record

PATIENCE_S = 30.0
"""How long the log may take to give its first event; a broker's groups take seconds to form."""

QUIET_S = 5.0
"""When nothing has come for so long, everything has been read."""

AT_ONCE = 500


class Rebuilding:
    """Reads a topic from its beginning, once, whatever others have committed.

    What the usual consumers read meanwhile is read twice: whoever takes it must not mind.

    Args:
        log: Where events are.
        topic: Which of them.
        take: Takes every event.
        member: Who reads.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(
        self,
        log: Broker,
        topic: str,
        take: Callable[[Record], None],
        member: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        # A group of its own that nobody has been in before begins at the beginning.
        self._consumer = log.consumer(f"rebuild-{time.time_ns()}", topic, f"{member}-rebuild")
        self._take = take
        self._now_s = now_s
        self._until_s = now_s() + PATIENCE_S
        self.done = False
        self.read = 0

    async def work(self) -> None:
        """Read on, if there is more."""
        if self.done:
            return
        records = await self._consumer.poll(AT_ONCE)
        for record in records:
            self._take(record)
        self.read += len(records)
        if records:
            self._until_s = self._now_s() + QUIET_S
        elif self._now_s() >= self._until_s:
            self.leave()

    def leave(self) -> None:
        """Stop reading."""
        if not self.done:
            self.done = True
            self._consumer.leave()
