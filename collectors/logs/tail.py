"""Lines as they come, for those who follow them; whoever reads too slowly is let go and told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from collectors.errors import OverloadedError
from collectors.log_batch import LogBatch
from collectors.logs.block import Block
from collectors.logs.search import Effort, LogLine, LogSearch, lines_at, rows_of, verified

MAX_FOLLOWERS = 32
MAX_FOLLOWED_LINES = 20_000
"""Lines that wait for one follower."""
MAX_FOLLOWED_CHARS = 16 << 20
"""Characters of them: twenty thousand of the longest lines would be half a gigabyte."""


class Follower:
    """One who follows: batches wait here until they are read.

    Attributes:
        missed: Lines that waited when it was let go, and those that came since.
        gone: Whether it was let go.
    """

    def __init__(self, wanted: LogSearch, wake: Callable[[], None]) -> None:
        self._wanted = wanted
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: deque[LogBatch] = deque()
        self._lines = self._chars = 0
        self.missed = 0
        self.gone = False

    def offer(self, batch: LogBatch, chars: int) -> None:
        """Take lines of so many characters together; returns at once."""
        with self._lock:
            if self.gone or not self._has_room(len(batch), chars):
                # What waits is not read any more either.
                self.missed += len(batch) + self._lines
                self.gone = True
                self._waiting.clear()
                self._lines = self._chars = 0
            else:
                self._waiting.append(batch)
                self._lines += len(batch)
                self._chars += chars
        self._wake()

    def _has_room(self, lines: int, chars: int) -> bool:
        fits = self._lines + lines <= MAX_FOLLOWED_LINES
        return fits and self._chars + chars <= MAX_FOLLOWED_CHARS

    def lines(self) -> list[LogLine]:
        """Return the lines that match among those that wait, oldest first."""
        with self._lock:
            batches, self._waiting = list(self._waiting), deque()
            self._lines = self._chars = 0
        if not batches:
            return []
        block = Block(batches, np.zeros(sum(map(len, batches)), np.int32), 0)
        rows = verified(block, rows_of(block, self._wanted), self._wanted, Effort())
        return lines_at(block, rows, [""])


class Tail:
    """Those who follow; a store's :attr:`~collectors.logs.store.LogStore.listener`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: list[Follower] = []

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    def __call__(self, batch: LogBatch) -> None:
        """Hand lines to everybody who follows."""
        followers = tuple(self._followers)
        if not followers:
            return
        chars = sum(map(len, batch.bodies)) + sum(map(len, batch.attributes))
        for follower in followers:
            follower.offer(batch, chars)

    def follow(self, wanted: LogSearch, wake: Callable[[], None]) -> Follower:
        """Return a new follower; ``wake`` is called from any thread when lines came.

        Raises:
            OverloadedError: Too many follow already.
        """
        follower = Follower(wanted, wake)
        with self._lock:
            self.check_room()
            self._followers.append(follower)
        return follower

    def check_room(self) -> None:
        """Raise :class:`OverloadedError` if nobody more can follow."""
        if len(self._followers) >= MAX_FOLLOWERS:
            raise OverloadedError(
                f"{MAX_FOLLOWERS} follow the log already; close one, or search instead",
                retry_after_s=10,
            )

    def leave(self, follower: Follower) -> None:
        """Forget a follower."""
        with self._lock:
            self._followers.remove(follower)
