"""A lock that is given to whoever has waited longest."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock whose holder hands it on: one that takes it again and again keeps nobody out.

    >>> turns = Turns()
    >>> with turns:
    ...     turns.taken
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Semaphore] = deque()
        self.taken = False

    @property
    def waiting(self) -> int:
        """How many wait for the turn."""
        return len(self._waiting)

    def __enter__(self) -> None:
        """Wait for the turn."""
        with self._lock:
            if not self.taken:
                self.taken = True
                return
            turn = threading.Semaphore(0)
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hand the turn to the next."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self.taken = False
