"""Threads of the API's own, and how much work may wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from collectors.errors import OverloadedError

MAX_THREADS = 8
MAX_WAITING = 64

Result = TypeVar("Result")


class Workers:
    """Runs evaluation and drawing off the event loop.

    They have threads of their own: however many graphs are asked for, the receivers' threads stay
    free. An evaluation may hold hundreds of megabytes, so the number of threads bounds the memory.

    Args:
        threads: Requests at work at the same time.
        waiting: Requests that may wait for a thread; more are sent away.
    """

    def __init__(self, threads: int = MAX_THREADS, waiting: int = MAX_WAITING) -> None:
        self._limit = threads + waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api")
        self._lock = threading.Lock()
        self._admitted = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what ``work`` returns, having run it in a thread.

        Raises:
            OverloadedError: Too much waits already.
        """
        with self._lock:
            if self._admitted >= self._limit:
                raise OverloadedError(
                    f"{self._limit} requests are at work or waiting; try again, or ask for less "
                    "at once",
                    retry_after_s=5,
                )
            self._admitted += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            with self._lock:
                self._admitted -= 1
