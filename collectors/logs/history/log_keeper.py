"""Carries acknowledged lines to history.

After each write the journal notes which batch was the last: what stands behind that note is read
from the journal again after a start, and compared with what history has of the same time, for the
process may have died between a write and its note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from collectors.budget import elsewhere
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.history.keeper import INTERVAL_S, Keeper
from collectors.host.journal import Journal
from collectors.log_batch import LogBatch
from collectors.logs.archive import Counts
from collectors.logs.history.log_history import LogHistory
from collectors.logs.record import decode_batch
from collectors.logs.search import LogLine, LogSearch
from collectors.logs.store import LOGS

WRITTEN = 0x57
MAX_WAITING_LINES = 200_000
_LINES = 20_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: LogBatch
    mark: str

    def __len__(self) -> int:
        return len(self.batch)


class LogKeeper(Keeper[_Waiting]):
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
        interval_s: float | None = INTERVAL_S,
    ) -> None:
        self._history = history
        super().__init__(
            _Carrier(history, journal),
            clock,
            thread_name="log-history",
            retention_ms=retention_ms,
            max_waiting=MAX_WAITING_LINES,
            at_once=_LINES,
            interval_s=interval_s,
        )

    def offer(self, batch: LogBatch, mark: str) -> None:
        """Take lines that are in the journal; returns at once, whatever state history is in."""
        self.take(_Waiting(batch, mark))

    def search(self, wanted: LogSearch) -> list[LogLine]:
        """Return the matching lines that history has, newest first."""
        with elsewhere():
            return self._history.search(wanted)

    def counts(self, wanted: LogSearch, start_ms: int, step_ms: int, buckets: int) -> Counts:
        """Return how many lines history has that match."""
        with elsewhere():
            return self._history.counts(wanted, start_ms, step_ms, buckets)


class _Carrier:
    """Writes lines, and notes in the journal how far it is."""

    in_order = True

    def __init__(self, history: LogHistory, journal: Journal) -> None:
        self._history = history
        self._journal = journal

    @property
    def leads(self) -> bool:
        return self._history.leads

    def write(self, batches: Sequence[_Waiting], *, compare: bool) -> int:
        lines = [waiting.batch for waiting in batches]
        fresh = self._history.missing(lines) if compare else lines
        self._history.insert(fresh, [waiting.mark for waiting in batches])
        self._journal.append(WRITTEN, batches[-1].mark.encode())
        return sum(map(len, fresh))

    def unwritten(self) -> Iterator[Sequence[_Waiting]]:
        """Yield what stands behind the last note."""
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
            lines += len(found)
            if lines >= _LINES:
                yield gathered
                gathered, lines = [], 0
        if gathered:
            yield gathered

    def drop_before(self, time_ms: int) -> None:
        self._history.drop_before(time_ms)

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
