"""How much work may go on at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.errors import OverloadedError

MAX_CONCURRENT = 8
MAX_WAIT_S = 20.0


class Gate:
    """Lets a few requests through at once; others wait a while and are then sent away.

    An evaluation may hold hundreds of megabytes: the number of them bounds the memory.

    Args:
        places: Requests at work at the same time.
        wait_s: How long one may wait for a place, seconds.
    """

    def __init__(self, places: int = MAX_CONCURRENT, wait_s: float = MAX_WAIT_S) -> None:
        self._places = places
        self._wait_s = wait_s
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises:
            OverloadedError: No place became free in time.
        """
        if not self._free.acquire(timeout=self._wait_s):
            raise OverloadedError(
                f"{self._places} evaluations are under way and none ended within "
                f"{self._wait_s:g} s; try again, or ask for less at once",
                retry_after_s=5,
            )
        try:
            yield
        finally:
            self._free.release()
