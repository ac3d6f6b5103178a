"""Carries what was acknowledged to history, in batches and in the background.

What comes here is in a journal before, so nothing that happens here can lose any of it: what a
failing history did not take, or what waited when the process died, is read from the journal again
and compared with what history has.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from collectors.background import Background, Pause
from collectors.clock import Clock
from collectors.errors import StorageError

_log = structlog.get_logger(__name__)
_DAY_MS = 86_400_000
INTERVAL_S = 5.0


class Sized(Protocol):
    """A batch that was acknowledged at once."""

    def __len__(self) -> int:
        """Return how many rows it has."""
        ...


B = TypeVar("B", bound=Sized)


class Carrier(Protocol[B]):
    """What is different about what is carried."""

    @property
    def in_order(self) -> bool:
        """Whether everything before a batch must be written before it is."""
        ...

    @property
    def leads(self) -> bool:
        """Whether it is this process that writes what several have."""
        ...

    def write(self, batches: Sequence[B], *, compare: bool) -> int:
        """Write batches in the order in which they came; return how many rows were written.

        Args:
            batches: What to write.
            compare: Whether history may have some of it already, which is then left out.

        Raises:
            StorageError: History refuses, or does not answer.
        """
        ...

    def unwritten(self) -> Iterator[Sequence[B]]:
        """Yield what the journal holds and history may lack, some thousand rows at a time."""
        ...

    def drop_before(self, time_ms: int) -> None:
        """Drop whole days that ended before a time, epoch milliseconds."""
        ...


class Keeper(Generic[B]):
    """Writes batches to history some seconds after they were acknowledged; safe for threads.

    Args:
        carrier: Writes it.
        clock: The present, for retention.
        thread_name: Of the thread, and of the work in messages.
        retention_ms: Age at which whole days are dropped.
        max_waiting: Rows that wait in memory; beyond that the journal alone has them.
        at_once: Rows of a write, about.
        interval_s: How often is written; None only by :meth:`flush`.
    """

    def __init__(
        self,
        carrier: Carrier[B],
        clock: Clock,
        *,
        thread_name: str,
        retention_ms: int,
        max_waiting: int,
        at_once: int,
        interval_s: float | None = INTERVAL_S,
    ) -> None:
        self._name = thread_name
        self._carrier = carrier
        self._clock = clock
        self._retention_ms = retention_ms
        self._max_waiting = max_waiting
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting: deque[B] = deque()
        self._rows = 0
        self._behind = True  # the journal may hold what the process before did not write
        self._unsure = True
        self._tidied_day = -1
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._pause = Pause(interval_s or 0.0)
        self._background = Background(thread_name, self._run, interval_s=interval_s)
        self._background.start()

    @property
    def waiting(self) -> int:
        """Number of rows in memory that are to be written."""
        return self._rows

    @property
    def behind(self) -> bool:
        """Whether the journal has rows that history may lack and that don't wait in memory."""
        return self._behind

    def take(self, batch: B) -> None:
        """Take what is in the journal; returns at once, whatever state history is in."""
        with self._lock:
            if self._rows + len(batch) > self._max_waiting:
                self._forget_waiting()
                self._behind = True
            else:
                self._waiting.append(batch)
                self._rows += len(batch)

    def flush(self) -> int:
        """Write what waits; return how many rows were written.

        Where another process writes the same, what waits is left to the journal: should this one
        take over, it compares its journal with history as after a failure.

        Raises:
            StorageError: History refuses; what waits is kept for the next time.
        """
        with self._writing:
            if not self._carrier.leads:
                self._leave_to_another()
                return 0
            written = self._catch_up() if self._behind else 0
            written += self._write_waiting()
            self._unsure = self._behind
            self._tidy()
        return written

    def close(self) -> None:
        """Write what waits and end the background work; the journal is left to the next start."""
        self._closing.set()
        self._background.close()
        try:
            with self._writing:
                if self._carrier.leads and not (self._behind and self._carrier.in_order):
                    self._write_waiting()
        except StorageError as error:
            _log.error("not written to history yet", work=self._name, reason=error.message)

    def _run(self) -> None:
        if self._pause.over():
            try:
                self.flush()
            except StorageError:
                self._pause.extend()
                raise
            self._pause.end()

    def _next(self) -> list[B]:
        taken: list[B] = []
        rows = 0
        with self._lock:
            while self._waiting and rows < self._at_once:
                taken.append(self._waiting.popleft())
                rows += len(taken[-1])
            self._rows -= rows
        return taken

    def _write_waiting(self) -> int:
        written = 0
        while taken := self._next():
            try:
                written += self._carrier.write(taken, compare=self._unsure)
            except StorageError:
                # The statement may have been carried out all the same: compare the next time.
                self._unsure = True
                with self._lock:
                    self._waiting.extendleft(reversed(taken))
                    self._rows += sum(map(len, taken))
                raise
        return written

    def _catch_up(self) -> int:
        """Write what the journal holds and history does not."""
        with self._lock:
            self._forget_waiting()
            self._behind = False
            self._unsure = True
        written = 0
        try:
            for batches in self._carrier.unwritten():
                if self._closing.is_set():
                    self._behind = True
                    break
                written += self._carrier.write(batches, compare=True)
        except StorageError:
            self._behind = True
            raise
        return written

    def _leave_to_another(self) -> None:
        with self._lock:
            self._forget_waiting()
            self._behind = True

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._rows = 0

    def _tidy(self) -> None:
        """Once a day, drop what is old enough."""
        now_ms = self._clock.now_ms()
        if now_ms // _DAY_MS != self._tidied_day:
            self._carrier.drop_before(now_ms - self._retention_ms)
            self._tidied_day = now_ms // _DAY_MS
