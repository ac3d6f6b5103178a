"""Threads in which bodies are decoded: small ones side by side, large ones one after another.

Whoever sends what takes seconds waits behind others who do; what everybody sends passes beside.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from collectors.errors import OverloadedError
from collectors.receivers.work.opening import LargeError, Opened, Sent, open_body

_T = TypeVar("_T")
_SMALL_THREADS = 4
# With a few seconds each, who comes later than that has been told to come back long before.
MAX_WAITING = 8


class Lanes:
    """The threads; shared by all receivers of a process.

    Attributes:
        waiting: Large bodies that are decoded or wait for it.
    """

    def __init__(self) -> None:
        self._small = ThreadPoolExecutor(_SMALL_THREADS, thread_name_prefix="decode")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="decode-large")
        self._lock = threading.Lock()
        self.waiting = 0

    async def decode(self, sent: Sent, work: Callable[[Opened], _T]) -> _T:
        """Open a body and return what ``work`` makes of it, off the event loop.

        Raises:
            OverloadedError: Too many large bodies wait already.
            InputError: The body is refused.
        """
        try:
            return await _run(self._small, lambda: work(open_body(sent, small=True)))
        except LargeError:
            pass
        with self._waiting():
            return await _run(self._large, lambda: work(open_body(sent, small=False)))

    def close(self) -> None:
        """End the threads once they have nothing to do."""
        self._small.shutdown(wait=False)
        self._large.shutdown(wait=False)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._lock:
            if self.waiting >= MAX_WAITING:
                raise OverloadedError(
                    f"{self.waiting} large bodies wait to be decoded already; send less at once, "
                    "or try again later",
                    retry_after_s=2,
                )
            self.waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self.waiting -= 1


async def _run(pool: Executor, work: Callable[[], _T]) -> _T:
    context = contextvars.copy_context()  # whose request it is
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, work)
