"""A loop whose clock stands still while a busy machine runs somebody else.

What runs in one process in memory has the same deadlines as what runs in many. Where others take
the processor for a second, a deadline of a second passes without anything of ours being slow: a
fallback answers, a span fails. This loop's time is what its thread has computed plus what it has
waited for, so only our own slowness is slow.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _CountedWaits(selectors.DefaultSelector):
    """A selector that adds up for how long it was asked to wait, and waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as any selector does; what goes past ``timeout`` seconds was not asked for."""
        began = time.perf_counter()
        ready = super().select(timeout)
        waited_s = time.perf_counter() - began
        self.waited_s += waited_s if timeout is None else min(waited_s, max(timeout, 0.0))
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """Runs in the thread that made it."""

    def __init__(self) -> None:
        self._waits = _CountedWaits()
        super().__init__(self._waits)

    def time(self) -> float:
        """Return seconds of this thread's work and of waiting, from any beginning."""
        return self._waits.waited_s + time.thread_time()


def run(story: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, as :func:`asyncio.run` does, in a loop of its own."""
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        return runner.run(story)
