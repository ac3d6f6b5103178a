"""Everything that keeps log records, opened together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from collectors.clock import Clock
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.logs.history.log_history import LogHistory
from collectors.logs.history.log_keeper import LogKeeper
from collectors.logs.mining import Miner
from collectors.logs.store import LogStore
from collectors.logs.tail import Tail

_PATTERNS = "patterns.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLogs:
    """The store, who follows it, and what carries its lines to history, if there is one."""

    store: LogStore
    tail: Tail
    keeper: LogKeeper | None
    journal: FileJournal

    def close(self) -> None:
        """Write down what is complete and release the files."""
        self.store.close()
        self.journal.close()


def open_logs(
    directory: Path,
    clock: Clock,
    limits: Limits,
    history: LogHistory | None = None,
    machine: Machine | None = None,
) -> KeptLogs:
    """Open the store in ``directory`` and replay its log in the background.

    Args:
        directory: Where the write-ahead log and the patterns are.
        clock: The present.
        limits: How much is kept, and for how long.
        history: What outlives memory.
        machine: What the process runs on.

    Raises:
        StorageError: The log can't be opened.
    """
    journal = FileJournal.open(
        directory, keep_bytes=limits.log_journal_bytes, name="log of log records", machine=machine
    )
    keeper = None
    if history is not None:
        keeper = LogKeeper(history, journal, clock, retention_ms=limits.max_log_late_ms)
    tail = Tail()
    store = LogStore(
        journal,
        clock,
        limits,
        archive=keeper,
        miner=Miner(directory / _PATTERNS),
        listener=tail,
        replay_in_background=True,
    )
    return KeptLogs(store=store, tail=tail, keeper=keeper, journal=journal)
