"""Keeps history up with the hot tier, and joins both in an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from collectors.background import Background
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.faults import Faults
from collectors.model import Tags
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.stacklang.predicates.predicate import Query
from collectors.store.blocks.blocks import BLOCK_STEPS
from collectors.store.blocks.columns import Columns
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.history.feed import HistoryFeed, LateRows
from collectors.store.history.metric_history import MetricHistory
from collectors.store.history.rolled_days import DAY_MS

_log = structlog.get_logger(__name__)
FAULT = "history"
_INTERVAL_S = 10.0
# After so many more runs what the engine merges of what was written is merged, too.
_SETTLING_RUNS = 6
# Old days are rolled up once nobody has sent samples of such for this long, or at the latest.
_QUIET_MS = 3_600_000
_MAX_WAIT_MS = 12 * 3_600_000


class HistoryKeeper:
    """Writes blocks to history once they are complete.

    Args:
        hot: Where blocks come from.
        history: Where they go.
        lock: Held by whoever changes ``hot``.
        clock: Says which blocks are complete.
        settle_ms: How long after its end a block waits for late samples.
        samples_ms: Age at which days of samples are rolled up.
        retention_ms: Age at which rollups are dropped.
        faults: Hears of a history that takes nothing.
    """

    def __init__(
        self,
        hot: HotTier,
        history: MetricHistory,
        lock: threading.Lock,
        clock: Clock,
        *,
        settle_ms: int,
        samples_ms: int,
        retention_ms: int,
        faults: Faults | None = None,
    ) -> None:
        self._hot = hot
        self._feed = HistoryFeed(hot, history)
        self._lock = lock
        self._clock = clock
        self._settle_ms = settle_ms
        self._samples_ms = samples_ms
        self._retention_ms = retention_ms
        self._tidied_day = -1
        self._due_ms = -1
        self._filled_in_ms = -DAY_MS
        self._faults = faults or Faults(clock)
        self._settling = 0
        self._writing = threading.Lock()
        self._hot_since = hot.blocks.step_of(clock.now_ms()) if hot.blocks.head < 0 else None
        with suppress(StorageError):
            self._find_what_is_lost()
        self._background = Background("store-history", self.flush, interval_s=_INTERVAL_S)
        self._background.start()

    def flush(self, through_ms: int | None = None) -> int:
        """Write changed blocks that are complete, or that begin before ``through_ms``.

        Returns:
            The number of blocks written.

        Raises:
            StorageError: History refuses; the blocks are kept for the next time.
        """
        now = self._clock.now_ms()
        if through_ms is None:
            through_ms = now - self._settle_ms - BLOCK_STEPS * self._hot.step_ms
        with self._writing:
            with self._lock:
                blocks = self._feed.unsaved(before_step=through_ms // self._hot.step_ms + 1)
            try:
                self._find_what_is_lost()
                for block in blocks:
                    self._write(block)
                    self._feed.history.give_back()
                    self._settling = _SETTLING_RUNS
                self._tidy(now)
            except StorageError as error:
                lost = "nothing while the hot window reaches: blocks wait there and in the log"
                self._faults.failed(FAULT, place=FAULT, reason=error.message, lost=lost)
                raise
            self._faults.over(FAULT)
            if self._settling and not blocks:
                self._settling -= 1
                self._feed.history.give_back()
        return len(blocks)

    def _find_what_is_lost(self) -> None:
        """Once history answers, see whether it has what hot blocks that began empty had before.

        Then what came before them can only be in history.
        """
        if self._hot_since is None:
            return
        if self._feed.history.has_samples():
            with self._lock:
                self._hot.complete_from = max(self._hot.complete_from, self._hot_since)
        self._hot_since = None

    def _tidy(self, now_ms: int) -> None:
        """Once a day, roll up and drop what is old enough.

        Days that are being filled in late wait for their end: a rolled-up day takes no more. Of
        several processes one does it: none may read a day that another one is dropping.
        """
        day = now_ms // DAY_MS
        if day == self._tidied_day or not self._feed.history.tidies:
            return
        if self._due_ms < 0:
            self._due_ms = now_ms
        busy = 0 <= now_ms - self._filled_in_ms < _QUIET_MS
        if busy and 0 <= now_ms - self._due_ms < _MAX_WAIT_MS:
            return
        self._feed.history.roll_up(now_ms - self._samples_ms)
        self._feed.history.drop_before(now_ms - self._retention_ms)
        self._tidied_day, self._due_ms = day, -1

    def save_leaving(self, newest_block: int) -> None:
        """Write changed blocks that are about to leave the ring; the store's lock is held.

        Normally there are none: blocks are written when they are complete, hours before.
        """
        for block in self._feed.leaving(newest_block):
            rows = self._feed.take(block)
            try:
                if rows is not None:
                    self._feed.write(rows)
            except StorageError as error:
                _log.error("history lost a block", block=block, reason=error.message)

    def late_from_ms(self) -> int:
        """Return the time after which late samples are taken."""
        return self._clock.now_ms() - self._retention_ms

    def take_late(self, columns: Columns) -> LateRows:
        """Copy samples from before the hot window; the store's lock is held."""
        return self._feed.take_late(columns, self.late_from_ms())

    def write_late(self, rows: LateRows) -> int:
        """Write late samples; return how many history has now.

        Raises:
            StorageError: History refuses.
        """
        now_ms = self._clock.now_ms()
        if len(rows.time_ms) and int(rows.time_ms.min()) <= now_ms - self._samples_ms:
            self._filled_in_ms = now_ms
        return self._feed.write_late(rows)

    def columns_behind(self, request: Fetch) -> int:
        """Return how many columns of the window reach behind the hot tier."""
        window, step_ms = request.window, self._hot.step_ms
        multiple = window.step_ms // step_ms
        first_base = window.start_ms // step_ms - multiple + 1
        behind = -(-(self._hot.first_step - first_base) // multiple)
        return max(0, min(behind, window.steps))

    def beside(self, request: Fetch, hot: Callable[[int], Lines]) -> tuple[Lines, int]:
        """Return what the hot tier answers without its first columns, and how many those are.

        Those are history's to answer. A block that leaves the hot window while it is read is asked
        of history as well.

        Args:
            request: What is asked.
            hot: Answers it from the hot blocks, without some columns.
        """
        behind = self.columns_behind(request)
        while True:
            lines, before = hot(behind), behind
            behind = self.columns_behind(request)
            if behind == before:
                return lines, behind

    def fetch(self, request: Fetch, columns: int) -> Lines:
        """Answer the first ``columns`` columns, after writing what they still need."""
        window = request.window
        end_ms = window.start_ms + (columns - 1) * window.step_ms
        self._write_lacking(end_ms)
        return self._feed.history.fetch(replace(request, window=replace(window, end_ms=end_ms)))

    def series_between(self, query: Query, first_ms: int, last_ms: int) -> tuple[list[Tags], bool]:
        """Return what :meth:`MetricHistory.series_between` does, after writing what it lacks."""
        self._write_lacking(last_ms)
        return self._feed.history.series_between(query, first_ms, last_ms)

    def _write_lacking(self, end_ms: int) -> None:
        with self._lock:
            lacking = self._feed.unsaved(before_step=end_ms // self._hot.step_ms + 1)
        if lacking:
            self.flush(end_ms)

    def check(self) -> list[str]:
        """Have history verify itself; return a sentence for each damaged part."""
        return self._feed.history.check()

    def close(self) -> None:
        """Write what is complete and end the background work."""
        self._background.close()
        try:
            self.flush()
        except StorageError as error:
            _log.error("history not written", reason=error.message)

    def _write(self, block: int) -> None:
        with self._lock:
            rows = self._feed.take(block)
        if rows is None:
            return
        try:
            self._feed.write(rows)
        except StorageError:
            with self._lock:
                self._feed.give_back(rows)
            raise
