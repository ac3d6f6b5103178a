"""The metric store: a writer for receivers and a database for expressions.

Who works in it, and what each holds:

============================  ==================================================================
receivers' threads            ``write…``: the store's lock from resolving the series to applying
                              the samples; late ones go to history without it
queries and rules             ``fetch``: the store's lock for a moment, in which tags and index
                              are seen as they are; series are chosen from these without it, the
                              kernel reads pages beside writers, history is asked without it
thread ``store-checkpoint``   the turn of checkpoints, within it the store's lock for a snapshot;
                              files are written without it
thread ``store-history``      the turn of history, within it the store's lock for each block's
                              copy; history is written without it. So does a query that needs
                              what history lacks
threads ``journal-sync``      a log's lock for a moment; the disk is waited for without it
============================  ==================================================================

Locks are taken from left to right, never back::

    Durability._saving ─────▶ the store's ────────────────▶ FileJournal._lock
    Planner._lock ──────────▶ the store's
          └─▶ TagIndex._lock
    HistoryKeeper._writing ─▶ the store's ─ ─ ─ ─ ─ ─ ─ ─ ▶ HistoryEngine._lock
                          └─▶ MetricHistory._changing ────▶ HistoryEngine._lock

A writer that has much to index takes the planner's lock while it holds the store's, if it is free
at that moment, and never waits for it.

The broken arrow is rare: a block that leaves the ring before history has it is written under the
store's lock, as it would be gone otherwise.

Readers hold no lock while they read pages; see :mod:`collectors.store.blocks.readers`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from collectors.clock import Clock
from collectors.errors import ConfigError, StorageError
from collectors.host.disk import make_private
from collectors.host.faults import Faults
from collectors.host.journal import FileJournal, Journal
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.model import Batch, Counted, Receipt, SeriesKind, Tags, kind_of
from collectors.remote_bodies import RemoteReceipt
from collectors.store.arrivals import NEVER_MS, News, Senders, take_news
from collectors.store.blocks import columns as batches
from collectors.store.blocks.columns import Columns, apply_columns
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.blocks.readers import Readers
from collectors.store.bodies import row_of_each, with_zeros
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.history.metric_history import MetricHistory
from collectors.store.intake.admission import Admission, Resolved
from collectors.store.intake.counter_starts import CounterStarts
from collectors.store.intake.remote_labels import RemoteLabels
from collectors.store.intake.time_bounds import extremes_of, judge_times, refuse_early
from collectors.store.kept import Kept, receipt_of, refusals
from collectors.store.log.durability import Durability
from collectors.store.log.records import BODY, BODY_V2
from collectors.store.reading import StoreReader
from collectors.store.wire.remote_body import (
    DecodedBody,
    SampleColumns,
    decode_body,
    decode_body_v2,
)
from collectors.tag_rules import TagRules

# What one sample takes in the log as columns: value, time and series id.
_COLUMN_BYTES = 16
_MIN_WORDS_BYTES = 64 << 20
# What the tags of one line take.
_LINE_BYTES = 400


class MetricStore(StoreReader):
    """Hot blocks, their index and their log; safe for many writing and reading threads.

    Args:
        path: Data directory; use :meth:`open`.
        step_ms: Base step.
        hot_window_ms: How much time is kept hot.
        clock: The present.
        limits: What is admitted.
        machine: Its disk takes the bytes; its faults tell what can't be written or read.
    """

    def __init__(
        self,
        path: Path,
        *,
        step_ms: int,
        hot_window_ms: int,
        clock: Clock,
        limits: Limits,
        machine: Machine,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        hot = HotTier(step_ms=step_ms, hot_window_ms=hot_window_ms, limits=limits, lock=self._lock)
        super().__init__(hot, Readers(hot.every_blocks, self._lock), Senders(hot.series), limits)
        rules, series = TagRules(limits), hot.series
        self.admission = Admission(series, limits, rules, self._hot.blocks.max_series, clock)
        self.metric_kinds = MetricKinds()
        seed = secrets.randbits(63)
        most, kinds = limits.max_body_labels, self.metric_kinds
        self._labels = RemoteLabels(series, self.admission, rules, seed, kinds, max_labels=most)
        self._starts = CounterStarts(series, self._hot.blocks.arrays.kind, limits.zero_point_ms)
        self._durability = Durability(
            path,
            self._hot,
            self._lock,
            kinds=self.metric_kinds,
            checkpoint_log_bytes=limits.checkpoint_log_bytes,
            machine=machine,
        )
        self._journal = FileJournal.open(
            path / "journal", keep_bytes=limits.journal_bytes, name="span log", machine=machine
        )
        self._words_bound = _MIN_WORDS_BYTES
        self._witness, self._faults = machine.witness, machine.faults

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        step_ms: int,
        hot_window_ms: int,
        clock: Clock,
        limits: Limits | None = None,
        history: MetricHistory | None = None,
        machine: Machine | None = None,
    ) -> MetricStore:
        """Open the store in ``path``, creating it if needed, and replay its log.

        ``history`` keeps what leaves the hot window; without it that is gone. The caller closes
        it after the store.

        Raises:
            ConfigError: What is there has another step, or more series than there is room for.
        """
        make_private(path)
        limits = limits or Limits()
        store = cls(
            path,
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            clock=clock,
            limits=limits,
            machine=machine or Machine(faults=Faults(clock)),
        )
        if history is not None:
            store.attach(history)
        return store

    def attach(self, history: MetricHistory) -> None:
        """Keep completed blocks in ``history`` from now on, and answer from it."""
        if history.step_ms != self.step_ms:
            raise ConfigError(
                f"history has a step of {history.step_ms} ms, the store one of {self.step_ms} ms"
            )
        self._keeper = self._older = HistoryKeeper(
            self._hot,
            history,
            self._lock,
            self._clock,
            settle_ms=self._limits.history_settle_ms,
            samples_ms=self._limits.history_samples_ms,
            retention_ms=self._limits.history_retention_ms,
            faults=self._faults,
        )

    @property
    def journal(self) -> Journal:
        """A journal for others (spans), bounded in size, apart from the metrics' own log."""
        return self._journal

    @property
    def series_count(self) -> int:
        """Number of series held."""
        return len(self._hot.series)

    def completed_ms(self) -> int:
        """Return the newest step boundary whose interval is over."""
        return (self._clock.now_ms() - self._limits.grace_ms) // self.step_ms * self.step_ms

    def checkpoint(self) -> None:
        """Write what changed since the last checkpoint and shorten the log."""
        self._durability.checkpoint()

    def forget_after(self, time_ms: int) -> None:
        """Forget samples later than ``time_ms``, the present: time was set back.

        History keeps what it is given of them first; a disk that refuses has been told of.
        """
        with suppress(StorageError):
            if self._keeper:
                self._keeper.flush(int(NEVER_MS) >> 1)
        with self._lock:
            self._hot.forget_after(time_ms)
        with suppress(StorageError):
            self.checkpoint()

    def flush_history(self) -> int:
        """Write completed blocks to history now; return how many there were."""
        return self._keeper.flush() if self._keeper else 0

    def check(self) -> list[str]:
        """Read back what is on disk; return a sentence for each damaged part."""
        return [*self._durability.check(), *(self._keeper.check() if self._keeper else ())]

    def close(self) -> None:
        """Write what is not written yet and release the files."""
        if self._keeper:
            self._keeper.close()
        self._durability.close()
        self._journal.close()

    # -- writing ---------------------------------------------------------------------------------

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``: logged, then visible. Samples outside the time bounds are refused."""
        with self._lock:
            self._shed_words()
            resolved = self.admission.resolve(batch.series)
            kept = [self._keep(resolved, rows) for rows in batches.rows_of(batch)]
        return batches.joined([receipt_of(one, self._keeper) for one in kept])

    def counted(self, tags: Tags) -> Counted:
        """Return what is known of the series with exactly these tags."""
        with self._lock:
            found = int(self.admission.find(tags))
            gauge = kind_of(tags) is SeriesKind.GAUGE
            return self._hot.counted(found, gauge=gauge) if found >= 0 else Counted()

    def write_remote(self, body: bytes) -> RemoteReceipt:
        """Keep a snappy-compressed Prometheus remote-write 1.0 body.

        Raises:
            DecodeError: The body is not what the protocol says.
            TooLargeError: It is too large after decompression.
        """
        limits, seed = self._limits, self._labels.seed
        decoded = decode_body(body, max_bytes=limits.max_body_bytes, seed=seed, limits=limits)
        return self._write_body(decoded, body, BODY)

    def write_remote_v2(self, body: bytes) -> RemoteReceipt:
        """Keep a snappy-compressed remote-write 2.0 body; raises as :meth:`write_remote`."""
        limits, seed = self._limits, self._labels.seed
        decoded = decode_body_v2(body, max_bytes=limits.max_body_bytes, seed=seed, limits=limits)
        return self._write_body(decoded, body, BODY_V2)

    def _write_body(self, decoded: DecodedBody, body: bytes, record: int) -> RemoteReceipt:
        if self._witness is not None and self._witness.in_doubt and len(decoded.columns.time_ms):
            self._witness.heard(int(decoded.columns.time_ms.max()))
        with self._lock:
            self._durability.append_kinds(self._labels.learn_types(decoded))
            self._shed_words()
            resolved = self._labels.resolve(decoded)
            kept = self._keep_started(decoded, resolved)
            if kept is None:
                kept = self._keep_body(body, record, decoded.columns, resolved)
        receipt = receipt_of(kept, self._keeper)
        return RemoteReceipt(
            accepted=receipt.accepted, rejected=receipt.rejected, extras=decoded.extras
        )

    def _keep_started(self, decoded: DecodedBody, resolved: Resolved) -> Kept | None:
        """Keep a body in which counters start, with a zero at each start; else return None."""
        columns, start_ms = decoded.columns, decoded.start_ms
        if start_ms is None or not len(columns.time_ms):
            return None
        offsets = np.cumsum(columns.samples, dtype=np.int64) - columns.samples
        first_ms = columns.time_ms[np.minimum(offsets, len(columns.time_ms) - 1)]
        first_ms = np.where(columns.samples > 0, first_ms, 0)
        oldest_ms = self._hot.oldest_ms(self._clock.now_ms())
        rows = self._starts.timely(resolved, start_ms, first_ms, oldest_ms)
        ids, starts = resolved.ids[rows], start_ms[rows]
        unseen = self._starts.unseen(ids, starts)
        if not unseen.any():
            return None
        zeros = rows[unseen].astype(np.int32)
        kept = self._keep(resolved, with_zeros(columns, offsets, zeros, start_ms))
        self._starts.note(ids, starts)
        return replace(kept, accepted=kept.accepted - len(zeros))

    def _keep_body(
        self, body: bytes, record: int, columns: SampleColumns, resolved: Resolved
    ) -> Kept:
        """Keep a body whose samples are all timely as it is; else fall back to its columns."""
        ids = resolved.ids
        now = self._clock.now_ms()
        oldest_ms = self._hot.oldest_ms(now)
        newest_ms = now + max(self._limits.max_future_ms, self.step_ms)
        first_ms, last_ms, count = extremes_of(ids, columns.samples, columns.time_ms)
        small = len(body) + ids.nbytes < _COLUMN_BYTES * count
        if not count or not small or first_ms <= oldest_ms or last_ms > newest_ms:
            return self._keep(resolved, row_of_each(columns))
        try:
            self._durability.append_body(resolved, body, record=record)
        except StorageError:
            rows = row_of_each(columns)
            self._keep_in_memory(resolved, rows._replace(series=ids[rows.series]))
            raise
        self._register(resolved)
        with self._moving(last_ms):
            self._hot.apply_rows(ids, columns.samples, columns.time_ms, columns.value, last_ms)
        rejected = [*refusals(resolved, columns.samples), *self._hot.take_dropped()]
        return Kept(accepted=count, rejected=rejected, late=0, late_rows=None, oldest_ms=oldest_ms)

    def _keep_in_memory(self, resolved: Resolved, rows: Columns) -> None:
        """Keep samples that the disk refused where rules see them; lock held.

        Their sender is told that they are not kept, and sends them again: only what may come twice
        is taken. Sums and parts may not.
        """
        if not self._durability.owe(resolved):
            return
        self._register(resolved)
        if rows.start_ms is None:
            self._apply(rows.chosen(batches.repeatable(self._hot, rows.series) >= 0))

    def _shed_words(self) -> None:
        """Forget words that no series has any more, once they may be half of all; lock held."""
        words = self._hot.series.words
        if words.size > self._words_bound:
            self._hot.shed_words()
            self._labels.forget_words()
            self._words_bound = max(_MIN_WORDS_BYTES, 2 * words.size)

    def _register(self, resolved: Resolved) -> None:
        """Give new series their places. Labels are learned at once: a series may expire next."""
        if resolved.new is not None:
            self._hot.register(resolved.new)
            resolved.new = None
        self._labels.learn(resolved)

    def _keep(self, resolved: Resolved, rows: Columns) -> Kept:
        """Log, register and apply samples, whose ``series`` are positions among the resolved."""
        ids = resolved.ids
        now = self._clock.now_ms()
        oldest_ms = self._hot.oldest_ms(now)
        newest_ms = now + max(self._limits.max_future_ms, self.step_ms)
        timing = judge_times(rows.time_ms, oldest_ms=oldest_ms, newest_ms=newest_ms)
        everything = rows._replace(series=ids[rows.series])
        admitted = everything.series >= 0
        timely = everything.chosen(timing.timely & admitted)
        try:
            self._durability.append(resolved, timely)
        except StorageError:
            # Duty before book-keeping: what is known is judged, whatever the disk says.
            self._keep_in_memory(resolved, timely)
            raise
        self._register(resolved)
        self._apply(timely)
        counts = np.bincount(rows.series, minlength=len(ids))
        rejected = [*refusals(resolved, counts), *self._hot.take_dropped()]
        if early := int((timing.early & admitted).sum()):
            rejected.append(refuse_early(early, newest_ms))
        late = timing.late & admitted
        late_rows = None
        if self._keeper and late.any():
            late_rows = self._keeper.take_late(everything.chosen(late))
        return Kept(
            accepted=len(timely.series),
            rejected=rejected,
            late=int(late.sum()),
            late_rows=late_rows,
            oldest_ms=oldest_ms,
        )

    def _apply(self, columns: Columns) -> None:
        """Put samples into the blocks."""
        if not len(columns.series):
            return
        with self._moving(int(columns.time_ms.max())):
            apply_columns(self._hot, columns)

    @contextmanager
    def _moving(self, newest_ms: int) -> Iterator[None]:
        """Save what the ring is about to drop; afterwards forget the series that it held."""
        newest, head = self._hot.block_of(newest_ms), self._hot.blocks.head
        if self._keeper and newest > head:
            self._keeper.save_leaving(newest)
        yield
        if self._hot.blocks.head > head:
            self._hot.expire()
        self._readers.recycle()

    def take_news(self) -> News:
        """Return what was written since the last call; for one reader alone."""
        with self._lock:
            return take_news(self._hot.blocks, self._hot.series.top)
