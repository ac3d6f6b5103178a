"""The newest log records in memory, journaled, searchable."""

from __future__ import annotations

import heapq
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from collectors.budget import look
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.journal import Journal
from collectors.limits import Limits
from collectors.log_batch import BANDS, LogBatch
from collectors.logs.archive import (
    Found,
    Histogram,
    LogArchive,
    counted,
    joined_counts,
    joined_lines,
)
from collectors.logs.block import BLOCK_LINES, Block
from collectors.logs.mining import Miner
from collectors.logs.open_block import ClosedBlock, OpenBlock
from collectors.logs.record import decode_batch, encode_batch
from collectors.logs.search import (
    MAX_LIMIT,
    NANOS_PER_MS,
    Effort,
    LogLine,
    LogSearch,
    lines_at,
    rows_of,
    verified,
)
from collectors.model import IntArray, Receipt, Rejection
from collectors.redacting.redactor import Redactor

LOGS = 0x4C
_LOOKED_AT_ONCE = 512
_log = structlog.get_logger(__name__)

Listener = Callable[[LogBatch], None]


class LogStore:
    """A :class:`~collectors.log_batch.LogWriter` with search; safe for many threads.

    Args:
        journal: Where lines are logged before they are acknowledged; replayed on opening.
        limits: How much is kept.
        clock: The present.
        archive: Takes acknowledged lines and answers for what memory no longer holds; None: memory
            is all there is.
        redactor: Takes secrets out before anything is kept.
        miner: Finds patterns.
        listener: Told of all lines that are kept.
        replay_in_background: Whether to return at once and replay on a thread meanwhile.
        boot: Tells records of this store in the journal from those of all before; random if empty.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: Limits | None = None,
        *,
        archive: LogArchive | None = None,
        redactor: Redactor | None = None,
        miner: Miner | None = None,
        listener: Listener | None = None,
        replay_in_background: bool = False,
        boot: str = "",
    ) -> None:
        self._journal = journal
        self._limits = limits or Limits()
        self._clock = clock
        self._archive = archive
        self.redactor = redactor or Redactor()
        self.miner = miner or Miner()
        self._listener = listener
        self._lock = threading.Lock()
        self._blocks: deque[ClosedBlock] = deque()
        self._open = OpenBlock()
        self._size = 0
        self._lines = 0
        self._evicted = 0
        self._boot = boot or secrets.token_hex(6)
        self._written = 0
        # Until the journal is replayed, what came before the start is history's to tell.
        self._whole_from_ns = clock.now_ms() * NANOS_PER_MS if archive else 0
        self._evicted_to_ns = 0
        self._replayed = threading.Event()
        if replay_in_background:
            threading.Thread(target=self._replay, name="log-replay", daemon=True).start()
        else:
            self._replay()

    @property
    def line_count(self) -> int:
        """Number of lines held in memory."""
        return self._lines

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return self._size + self._open.size

    @property
    def evicted(self) -> int:
        """Number of lines that memory let go since the start."""
        return self._evicted

    @property
    def whole_from_ms(self) -> int:
        """Since when memory has every line; 0: always. What is older is asked of history."""
        return self._whole_from_ns // NANOS_PER_MS

    def wait_replayed(self, timeout_s: float) -> bool:
        """Wait until the journal is replayed; return whether it is."""
        return self._replayed.wait(timeout_s)

    # -- writing -------------------------------------------------------------------------------

    def write_logs(self, batch: LogBatch) -> Receipt:
        """Keep lines without their secrets: logged first, then visible.

        Raises:
            StorageError: The journal failed; nothing was kept.
        """
        rejected: list[Rejection] = []
        good = self.redactor.clean(self._judged(batch, rejected))
        for first in range(0, len(good), BLOCK_LINES):
            part = good.part(np.arange(first, min(first + BLOCK_LINES, len(good))))
            patterns = self.miner.patterns_of(part)
            with self._lock:
                self._written += 1
                mark = f"{self._boot}-{self._written}"
                self._journal.append(LOGS, encode_batch(part, mark))
                closed = self._insert(part, patterns)
                if self._archive is not None:
                    # In the order of the journal: what stands before the archive's last note
                    # counts as written.
                    self._archive.offer(part, mark)
            self._seal(closed)
            if self._listener is not None:
                self._listener(part)
        return Receipt(accepted=len(good), rejected=rejected)

    def _judged(self, batch: LogBatch, rejected: list[Rejection]) -> LogBatch:
        """Return the lines whose times can be; those without one are of now."""
        now_ms = self._clock.now_ms()
        if not batch.time_ns.all():
            time_ns = np.where(batch.time_ns == 0, now_ms * NANOS_PER_MS, batch.time_ns)
            batch = replace(batch, time_ns=time_ns)
        newest_ms, oldest_ms = (
            now_ms + self._limits.max_log_future_ms,
            now_ms - self._limits.max_log_late_ms,
        )
        time_ms = batch.time_ns // NANOS_PER_MS
        ahead, late = time_ms > newest_ms, time_ms < oldest_ms
        if ahead.any():
            at = int(time_ms[ahead].max())
            detail = f"a line is of {at}, now is {now_ms}; check the sender's clock"
            rejected.append(
                Rejection(reason="lineFromFuture", detail=detail, count=int(ahead.sum()))
            )
        if late.any():
            at, age_ms = int(time_ms[late].min()), self._limits.max_log_late_ms
            detail = f"a line is of {at}, lines older than {age_ms} ms go"
            rejected.append(Rejection(reason="lineTooOld", detail=detail, count=int(late.sum())))
        return batch.part(np.flatnonzero(~(ahead | late)))

    def _insert(self, batch: LogBatch, patterns: NDArray[np.int32]) -> ClosedBlock | None:
        """Take lines in; return what has to be sealed by whoever brought them, without the lock."""
        closed = None
        if not self._open.has_room(batch) and self._open.lines:
            closed = self._open.close()
            self._blocks.append(closed)
            self._size += closed.size
        self._open.add(batch, patterns)
        self._lines += len(batch)
        self._evict()
        return closed

    def _seal(self, closed: ClosedBlock | None) -> None:
        """Make the index of what was closed, while others write and search."""
        if closed is None:
            return
        block = closed.block.sealed()
        with self._lock:
            if closed in self._blocks:
                self._size += block.size - closed.size
                closed.size = block.size
                self._evict()

    def _evict(self) -> None:
        while self._blocks and self.size > self._limits.max_log_bytes:
            gone = self._blocks.popleft()
            self._size -= gone.size
            self._lines -= len(gone)
            self._evicted += len(gone)
            self._evicted_to_ns = max(self._evicted_to_ns, int(gone.block.time_ns[-1]) + 1)
        if self._replayed.is_set():
            self._whole_from_ns = max(self._whole_from_ns, self._evicted_to_ns)

    def _replay(self) -> None:
        for record in self._journal.replay(LOGS):
            try:
                mark, batch = decode_batch(record)
            except StorageError as error:
                _log.warning("record of log lines skipped", reason=error.message)
                continue
            if mark.startswith(f"{self._boot}-"):
                break  # what came since the start stands in memory already
            patterns = self.miner.patterns_of(batch)
            with self._lock:
                closed = self._insert(batch, patterns)
            self._seal(closed)
        with self._lock:
            self._replayed.set()
            self._whole_from_ns = self._evicted_to_ns
            if self._archive is not None and self._trimmed():
                first = min((int(one.block.time_ns[0]) for one in self._blocks), default=0)
                self._whole_from_ns = max(self._whole_from_ns, first)

    def _trimmed(self) -> bool:
        """Return whether the journal has let go of lines: its bound was met before."""
        segments: list[int] = getattr(self._journal, "segments", list)()
        return bool(segments) and segments[0] > 1

    def close(self) -> None:
        """Let the archive take what it has not taken yet, and write the patterns down."""
        self.miner.save()
        if self._archive is not None:
            self._archive.close()

    # -- reading -------------------------------------------------------------------------------

    def search(self, wanted: LogSearch) -> Found:
        """Return the lines that match, newest first, at most ``wanted.limit``."""
        wanted = replace(wanted, limit=max(1, min(wanted.limit, MAX_LIMIT)))
        whole_from_ns = self._whole_from_ns if self._archive else 0
        held = replace(wanted, start_ns=max(wanted.start_ns, whole_from_ns))
        effort = Effort()
        best: list[_Place] = []
        numbers = self._numbers(wanted)
        blocks = sorted(self.blocks(), key=lambda block: -int(block.time_ns[-1]))
        for number, block in enumerate(blocks):
            if len(best) == wanted.limit and best[-1].time_ns > int(block.time_ns[-1]):
                break
            look()
            rows = _newest(block, held, numbers, wanted.limit, effort)
            if len(rows):
                best = heapq.nlargest(wanted.limit, [*best, *_places(block, rows, number)])
        notes = () if effort.complete else (_too_many(),)
        lines = self._lines_of(blocks, best)
        after = lines[-1].cursor if len(lines) == wanted.limit else None
        found = Found(lines=lines, next=after, notes=notes)
        if self._archive is None:
            return found
        return joined_lines(self._archive, wanted, found, whole_from_ns)

    def histogram(self, wanted: LogSearch, start_ms: int, step_ms: int, buckets: int) -> Histogram:
        """Return how many lines match, by time and severity, from ``start_ms`` on."""
        whole_from_ns = self._whole_from_ns if self._archive else 0
        end_ns = (start_ms + step_ms * buckets) * NANOS_PER_MS
        wanted = replace(
            wanted,
            start_ns=max(wanted.start_ns, start_ms * NANOS_PER_MS),
            end_ns=min(wanted.end_ns, end_ns),
        )
        held = replace(wanted, start_ns=max(wanted.start_ns, whole_from_ns))
        counts = np.zeros((buckets, len(BANDS)), np.int64)
        effort, numbers = Effort(), self._numbers(wanted)
        for block in reversed(self.blocks()):
            look()
            rows = verified(block, rows_of(block, held, numbers), held, effort)
            if len(rows):
                counts += counted(
                    block.time_ns[rows], block.severity[rows], start_ms, step_ms, buckets
                )
        notes = () if effort.complete else (_too_many(),)
        found = Histogram(start_ms=start_ms, step_ms=step_ms, counts=counts, notes=notes)
        if self._archive is None:
            return found
        return joined_counts(self._archive, wanted, found, whole_from_ns)

    def matching(self, wanted: LogSearch) -> Iterator[tuple[Block, IntArray]]:
        """Yield each block in memory with its lines that match; phrases of one word only."""
        numbers = self._numbers(wanted)
        for block in self.blocks():
            look()
            rows = rows_of(block, wanted, numbers)
            if len(rows):
                yield block, rows

    def services(self) -> list[str]:
        """Return whose lines memory holds, sorted."""
        return sorted({origin.service for block in self.blocks() for origin in block.origins})

    def blocks(self) -> list[Block]:
        """Return all lines in memory, oldest arrivals first."""
        with self._lock:
            closed, taken = list(self._blocks), self._open.taken()
        newest = self._open.view(taken)
        blocks = [one.block for one in closed]
        return blocks if newest is None else [*blocks, newest]

    def _lines_of(self, blocks: Sequence[Block], best: Sequence[_Place]) -> list[LogLine]:
        names = self.miner.names()
        chosen: dict[int, list[int]] = {}
        for place in best:
            chosen.setdefault(place.block, []).append(place.row)
        lines = [
            line
            for number, rows in chosen.items()
            for line in lines_at(blocks[number], np.array(sorted(rows), np.int64), names)
        ]
        return sorted(lines, key=lambda line: line.cursor, reverse=True)

    def _numbers(self, wanted: LogSearch) -> Sequence[int] | None:
        return self.miner.numbers(wanted.pattern) if wanted.pattern else None


class _Place(NamedTuple):
    """Where a line stands: by time, by arrival, then its block and row."""

    time_ns: int
    arrival: int
    block: int
    row: int


def _places(block: Block, rows: IntArray, number: int) -> Iterator[_Place]:
    times, arrivals = block.time_ns[rows].tolist(), block.arrival[rows].tolist()
    return map(_Place, times, arrivals, repeat(number), rows.tolist())


def _newest(
    block: Block, wanted: LogSearch, numbers: Sequence[int] | None, limit: int, effort: Effort
) -> NDArray[np.int64]:
    """Return the newest lines of a block that match, newest first."""
    rows = rows_of(block, wanted, numbers)
    if all(phrase.is_word for phrase in wanted.phrases):
        return rows[::-1][:limit]
    found: list[IntArray] = []
    count = 0
    while len(rows) and count < limit and effort.complete:
        look()
        rows, looked_at = rows[:-_LOOKED_AT_ONCE], rows[-_LOOKED_AT_ONCE:]
        found.append(verified(block, looked_at, wanted, effort)[::-1])
        count += len(found[-1])
    return np.concatenate(found)[:limit] if found else rows[:0]


def _too_many() -> str:
    return (
        "too many lines have all the words to compare their order; say more, or a shorter time:"
        " lines may be missing"
    )
