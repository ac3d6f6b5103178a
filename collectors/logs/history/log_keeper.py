"""Carries acknowledged lines to history, in batches and in the background.

Lines are in the journal before they come here, so nothing that happens here can lose one. After
each write the journal notes which batch was the last: what stands behind that note is read from
the journal again after a start, and compared with what history has of the same time, for the
process may have died between a write and its note.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import structlog

from collectors.background import Background, Pause
from collectors.budget import elsewhere
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.journal import Journal
from collectors.log_batch import LogBatch
from collectors.logs.archive import Counts
from collectors.logs.history.log_history import LogHistory
from collectors.logs.record import decode_batch
from collectors.logs.search import LogLine, LogSearch
from collectors.logs.store import LOGS

WRITTEN = 0x57
MAX_WAITING_LINES = 200_000
_log = structlog.get_logger(__name__)
_DAY_MS = 86_400_000
_INTERVAL_S = 5.0
_LINES = 20_000


class _Waiting(NamedTuple):
    batch: LogBatch
    mark: str


class LogKeeper:
    """A :class:`~collectors.logs.archive.LogArchive` over :class:`LogHistory`; safe for threads.

    Args:
        history: Where lines go.
        journal: Where they are already.
        clock: The present, for retention.
        retention_ms: Lines of days that ended longer ago are dropped.
        interval_s: How often lines are written; None only by :meth:`flush`.
    """

    def __init__(
        self,
        history: LogHistory,
        journal: Journal,
        clock: Clock,
        *,
        retention_ms: int,
        interval_s: float | None = _INTERVAL_S,
    ) -> None:
        self._history = history
        self._journal = journal
        self._clock = clock
        self._retention_ms = retention_ms
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._lines = 0
        self._behind = True  # the journal may hold what the process before did not write
        self._unsure = True
        self._tidied_day = -1
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._pause = Pause(interval_s or 0.0)
        self._background = Background("log-history", self._run, interval_s=interval_s)
        self._background.start()

    @property
    def waiting(self) -> int:
        """Number of lines in memory that are to be written."""
        return self._lines

    @property
    def behind(self) -> bool:
        """Whether the journal has lines that history may lack and that don't wait in memory."""
        return self._behind

    def offer(self, batch: LogBatch, mark: str) -> None:
        """Take lines that are in the journal; returns at once, whatever state history is in."""
        with self._lock:
            if self._lines + len(batch) > MAX_WAITING_LINES:
                self._waiting.clear()
                self._lines = 0
                self._behind = True
            else:
                self._waiting.append(_Waiting(batch, mark))
                self._lines += len(batch)

    def flush(self) -> int:
        """Write what waits; return how many lines were written.

        Raises:
            StorageError: History refuses; the lines are kept for the next time.
        """
        with self._writing:
            written = self._catch_up() if self._behind else 0
            written += self._write_waiting()
            self._unsure = self._behind
            self._tidy()
        return written

    def search(self, wanted: LogSearch) -> list[LogLine]:
        """Return the matching lines that history has, newest first."""
        with elsewhere():
            return self._history.search(wanted)

    def counts(self, wanted: LogSearch, start_ms: int, step_ms: int, buckets: int) -> Counts:
        """Return how many lines history has that match."""
        with elsewhere():
            return self._history.counts(wanted, start_ms, step_ms, buckets)

    def close(self) -> None:
        """Write what waits and end the background work; the journal is left to the next start."""
        self._closing.set()
        self._background.close()
        try:
            with self._writing:
                if not self._behind:
                    self._write_waiting()
        except StorageError as error:
            _log.error("lines not written to history yet", reason=error.message)

    def _run(self) -> None:
        if self._pause.over():
            try:
                self.flush()
            except StorageError:
                self._pause.extend()
                raise
            self._pause.end()

    def _take(self) -> list[_Waiting]:
        taken, lines = [], 0
        with self._lock:
            while self._waiting and lines < _LINES:
                taken.append(self._waiting.popleft())
                lines += len(taken[-1].batch)
            self._lines -= lines
        return taken

    def _write_waiting(self) -> int:
        written = 0
        while taken := self._take():
            try:
                written += self._write(taken)
            except StorageError:
                # The statement may have been carried out all the same: compare the next time.
                self._unsure = True
                with self._lock:
                    self._waiting.extendleft(reversed(taken))
                    self._lines += sum(len(waiting.batch) for waiting in taken)
                raise
        return written

    def _write(self, taken: list[_Waiting]) -> int:
        batches = [waiting.batch for waiting in taken]
        fresh = self._history.missing(batches) if self._unsure else batches
        self._history.insert(fresh)
        self._journal.append(WRITTEN, taken[-1].mark.encode())
        return sum(map(len, fresh))

    def _catch_up(self) -> int:
        """Write what the journal holds and history does not."""
        with self._lock:
            self._waiting.clear()
            self._lines = 0
            self._behind = False
            self._unsure = True
        written = 0
        try:
            for taken in self._unwritten():
                if self._closing.is_set():
                    self._behind = True
                    break
                written += self._write(taken)
        except StorageError:
            self._behind = True
            raise
        return written

    def _unwritten(self) -> Iterator[list[_Waiting]]:
        """Yield what stands behind the last note, some thousand lines at a time."""
        last = ""
        for note in self._journal.replay(WRITTEN):
            last = note.decode("ascii", "replace")
        known = not last or not self._holds(last)
        if last and known:
            _log.warning("the log of lines let go of some that history may lack", last=last)
        gathered: list[_Waiting] = []
        lines = 0
        for found in self._batches():
            if not known:
                known = found.mark == last
                continue
            gathered.append(found)
            lines += len(found.batch)
            if lines >= _LINES:
                yield gathered
                gathered, lines = [], 0
        if gathered:
            yield gathered

    def _holds(self, mark: str) -> bool:
        """Return whether the journal still has the batch; else all it has came later."""
        return any(found.mark == mark for found in self._batches())

    def _batches(self) -> Iterator[_Waiting]:
        for record in self._journal.replay(LOGS):
            try:
                mark, batch = decode_batch(record)
            except StorageError as error:
                _log.warning("record of log lines skipped", reason=error.message)
                continue
            yield _Waiting(batch, mark)

    def _tidy(self) -> None:
        """Once a day, drop what is old enough."""
        now_ms = self._clock.now_ms()
        if now_ms // _DAY_MS != self._tidied_day:
            self._history.drop_before(now_ms - self._retention_ms)
            self._tidied_day = now_ms // _DAY_MS
