"""The metric store: a writer for receivers and a database for expressions.

Who works in it, and what each holds:

============================  ==================================================================
receivers' threads            ``write…``: the store's lock from resolving the series to applying
                              the samples; late ones go to history without it
queries and rules             ``fetch``: the store's lock while the series are chosen; the kernel
                              reads pages beside writers, and history is asked without it
thread ``store-checkpoint``   the turn of checkpoints, within it the store's lock for a snapshot;
                              files are written without it
thread ``store-history``      the turn of history, within it the store's lock for each block's
                              copy; history is written without it. So does a query that needs
                              what history lacks
threads ``journal-sync``      a log's lock for a moment; the disk is waited for without it
============================  ==================================================================

Locks are taken from left to right, never back::

    Durability._saving ─────▶ the store's ────────────────▶ FileJournal._lock
    HistoryKeeper._writing ─▶ the store's ─ ─ ─ ─ ─ ─ ─ ─ ▶ HistoryEngine._lock
                          └─▶ MetricHistory._changing ────▶ HistoryEngine._lock

The broken arrow is rare: a block that leaves the ring before history has it is written under the
store's lock, as it would be gone otherwise.

Readers hold no lock while they read. ``_readers`` counts them, and pages that are given up are used
again only when a writer finds it 0: :meth:`HotBlocks.recycle`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.clock import Clock
from collectors.errors import ConfigError, QueryError, StorageError
from collectors.journal import FileJournal, Journal
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.model import (
    Batch,
    Counted,
    IndexArray,
    Receipt,
    Rejection,
    SeriesKind,
    Tags,
    kind_of,
)
from collectors.remote_bodies import RemoteReceipt
from collectors.stacklang.lines.database import Aggregate, Fetch, Lines
from collectors.stacklang.lines.line_merge import join_lines, sort_groups
from collectors.stacklang.predicates.predicate import Query
from collectors.store.arrivals import Heard, News, Senders, heard_of, take_news
from collectors.store.blocks.columns import Columns, apply_columns, joined, rows_of
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.history.feed import LateRows
from collectors.store.history.keeper import HistoryKeeper
from collectors.store.history.metric_history import MetricHistory
from collectors.store.intake.admission import Admission, Resolved
from collectors.store.intake.counter_starts import CounterStarts
from collectors.store.intake.remote_labels import RemoteLabels
from collectors.store.intake.time_bounds import extremes_of, judge_times, refuse_early, refuse_late
from collectors.store.log.durability import Durability
from collectors.store.log.records import BODY, BODY_V2
from collectors.store.wire.remote_body import (
    DecodedBody,
    SampleColumns,
    decode_body,
    decode_body_v2,
)
from collectors.tag_counts import TagCounts, counted
from collectors.tag_rules import TagRules

# What one sample takes in the log as columns: value, time and series id.
_COLUMN_BYTES = 16
_MIN_WORDS_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What became of a batch, before its late samples are written."""

    accepted: int
    rejected: Sequence[Rejection]
    late: int
    late_rows: LateRows | None
    oldest_ms: int


class MetricStore:
    """Hot blocks, their index and their log; safe for many writing and reading threads.

    Args:
        path: Data directory; use :meth:`open`.
        step_ms: Base step.
        hot_window_ms: How much time is kept hot.
        clock: The present.
        limits: What is admitted.
    """

    def __init__(
        self, path: Path, *, step_ms: int, hot_window_ms: int, clock: Clock, limits: Limits
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._readers = 0
        self._hot = HotTier(step_ms=step_ms, hot_window_ms=hot_window_ms, limits=limits)
        rules, series = TagRules(limits), self._hot.series
        self._senders = Senders(series)
        self._admission = Admission(series, limits, rules, self._hot.blocks.max_series, clock)
        self.metric_kinds = MetricKinds()
        seed = secrets.randbits(63)
        self._labels = RemoteLabels(series, self._admission, rules, seed, self.metric_kinds)
        self._starts = CounterStarts(series, self._hot.blocks.arrays.kind, limits.zero_point_ms)
        self._durability = Durability(
            path,
            self._hot,
            self._lock,
            kinds=self.metric_kinds,
            checkpoint_log_bytes=limits.checkpoint_log_bytes,
        )
        self._journal = FileJournal.open(path / "journal", keep_bytes=limits.journal_bytes)
        self._keeper: HistoryKeeper | None = None
        self._words_bound = _MIN_WORDS_BYTES

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
    ) -> MetricStore:
        """Open the store in ``path``, creating it if needed, and replay its log.

        ``history`` keeps what leaves the hot window; without it that is gone. The caller closes
        it after the store.
        """
        path.mkdir(parents=True, exist_ok=True)
        limits = limits or Limits()
        store = cls(path, step_ms=step_ms, hot_window_ms=hot_window_ms, clock=clock, limits=limits)
        if history is not None:
            store.attach(history)
        return store

    def attach(self, history: MetricHistory) -> None:
        """Keep completed blocks in ``history`` from now on, and answer from it."""
        if history.step_ms != self.step_ms:
            raise ConfigError(
                f"history has a step of {history.step_ms} ms, the store one of {self.step_ms} ms"
            )
        if self._hot.blocks.head < 0 and history.has_samples():
            # The hot tier was lost: what came before now can only be in history.
            self._hot.complete_from = self._hot.blocks.step_of(self._clock.now_ms())
        self._keeper = HistoryKeeper(
            self._hot,
            history,
            self._lock,
            self._clock,
            settle_ms=self._limits.history_settle_ms,
            samples_ms=self._limits.history_samples_ms,
            retention_ms=self._limits.history_retention_ms,
        )

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._hot.step_ms

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
            resolved = self._admission.resolve(batch.series)
            kept = [self._keep(resolved, rows) for rows in rows_of(batch)]
        return joined([self._receipt(one) for one in kept])

    def counted(self, tags: Tags) -> Counted:
        """Return what is known of the series with exactly these tags."""
        with self._lock:
            found = int(self._admission.find(tags))
            if found < 0:
                return Counted()
            arrays, gauge = self._hot.blocks.arrays, kind_of(tags) is SeriesKind.GAUGE
            return Counted(
                time_ms=int(arrays.last_ms[found]),
                value=self._hot.newest_value(found) if gauge else float("nan"),
            )

    def write_remote(self, body: bytes) -> RemoteReceipt:
        """Keep a snappy-compressed Prometheus remote-write 1.0 body.

        Raises:
            DecodeError: The body is not what the protocol says.
            TooLargeError: It is too large after decompression.
        """
        decoded = decode_body(body, max_bytes=self._limits.max_body_bytes, seed=self._labels.seed)
        return self._write_body(decoded, body, BODY)

    def write_remote_v2(self, body: bytes) -> RemoteReceipt:
        """Keep a snappy-compressed remote-write 2.0 body; raises as :meth:`write_remote`."""
        limit, seed = self._limits.max_body_bytes, self._labels.seed
        return self._write_body(decode_body_v2(body, max_bytes=limit, seed=seed), body, BODY_V2)

    def _write_body(self, decoded: DecodedBody, body: bytes, record: int) -> RemoteReceipt:
        with self._lock:
            self._durability.append_kinds(self._labels.learn_types(decoded))
            self._shed_words()
            resolved = self._labels.resolve(decoded)
            kept = self._keep_started(decoded, resolved)
            if kept is None:
                kept = self._keep_body(body, record, decoded.columns, resolved)
        receipt = self._receipt(kept)
        return RemoteReceipt(
            accepted=receipt.accepted, rejected=receipt.rejected, extras=decoded.extras
        )

    def _keep_started(self, decoded: DecodedBody, resolved: Resolved) -> _Kept | None:
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
        row = np.repeat(np.arange(len(resolved.ids), dtype=np.int32), columns.samples)
        samples = Columns(
            np.insert(row, offsets[zeros], zeros),
            None,
            np.insert(columns.time_ms, offsets[zeros], start_ms[zeros]),
            np.insert(columns.value, offsets[zeros], 0.0),
            True,
        )
        kept = self._keep(resolved, samples)
        self._starts.note(ids, starts)
        return replace(kept, accepted=kept.accepted - len(zeros))

    def _keep_body(
        self, body: bytes, record: int, columns: SampleColumns, resolved: Resolved
    ) -> _Kept:
        """Keep a body whose samples are all timely as it is; else fall back to its columns."""
        ids = resolved.ids
        now = self._clock.now_ms()
        oldest_ms = self._hot.oldest_ms(now)
        newest_ms = now + max(self._limits.max_future_ms, self.step_ms)
        first_ms, last_ms, count = extremes_of(ids, columns.samples, columns.time_ms)
        small = len(body) + ids.nbytes < _COLUMN_BYTES * count
        if not count or not small or first_ms <= oldest_ms or last_ms > newest_ms:
            row = np.repeat(np.arange(len(ids), dtype=np.int32), columns.samples)
            rows = Columns(row, None, columns.time_ms, columns.value, True)
            return self._keep(resolved, rows)
        self._durability.append_body(resolved, body, record=record)
        self._register(resolved)
        with self._moving(last_ms):
            self._hot.apply_rows(ids, columns.samples, columns.time_ms, columns.value, last_ms)
        rejected = _refusals(resolved, columns.samples) + self._hot.take_dropped()
        return _Kept(accepted=count, rejected=rejected, late=0, late_rows=None, oldest_ms=oldest_ms)

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

    def _keep(self, resolved: Resolved, rows: Columns) -> _Kept:
        """Log, register and apply samples, whose ``series`` are positions among the resolved."""
        ids = resolved.ids
        now = self._clock.now_ms()
        oldest_ms = self._hot.oldest_ms(now)
        newest_ms = now + max(self._limits.max_future_ms, self.step_ms)
        timing = judge_times(rows.time_ms, oldest_ms=oldest_ms, newest_ms=newest_ms)
        everything = rows._replace(series=ids[rows.series])
        admitted = everything.series >= 0
        timely = everything.chosen(timing.timely & admitted)
        self._durability.append(resolved, timely)
        self._register(resolved)
        self._apply(timely)
        rejected = _refusals(resolved, np.bincount(rows.series, minlength=len(ids)))
        rejected += self._hot.take_dropped()
        if early := int((timing.early & admitted).sum()):
            rejected.append(refuse_early(early, newest_ms))
        late = timing.late & admitted
        late_rows = None
        if self._keeper and late.any():
            late_rows = self._keeper.take_late(everything.chosen(late))
        return _Kept(
            accepted=len(timely.series),
            rejected=rejected,
            late=int(late.sum()),
            late_rows=late_rows,
            oldest_ms=oldest_ms,
        )

    def _receipt(self, kept: _Kept) -> Receipt:
        """Write late samples to history, without the lock, and say what became of all."""
        rejected = list(kept.rejected)
        saved, failure = 0, ""
        if kept.late and self._keeper and kept.late_rows:
            try:
                saved = self._keeper.write_late(kept.late_rows)
            except StorageError as error:
                if not kept.accepted:
                    raise  # nothing would be kept twice if it is sent again
                failure = error.message
        if failure:
            rejected.append(Rejection(reason="historyFailed", detail=failure, count=kept.late))
        elif kept.late > saved:
            history_ms = self._keeper.late_from_ms() if self._keeper else None
            rejected.append(refuse_late(kept.late - saved, kept.oldest_ms, history_ms))
        return Receipt(accepted=kept.accepted + saved, rejected=rejected)

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
        if self._readers == 0:
            self._hot.blocks.recycle()

    # -- reading ---------------------------------------------------------------------------------

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``.

        Raises:
            QueryError: The window does not fit the base step, or the answer would be too large.
        """
        self._check_window(request)
        behind = self._keeper.columns_behind(request) if self._keeper else 0
        hot = self._fetch_hot(request, behind)
        if not behind or self._keeper is None:
            return hot
        lines = join_lines(self._keeper.fetch(request, behind), hot)
        self._check_size(len(lines.tags), request.window.steps)
        every = request.aggregate is Aggregate.ALL
        return lines if every else sort_groups(lines, request.group_by)

    def _fetch_hot(self, request: Fetch, skip: int) -> Lines:
        """Answer from the hot blocks, without the first ``skip`` columns."""
        with self._reading():
            with self._lock:
                plan = self._hot.plan(request)
            self._check_size(len(plan.tags), request.window.steps)
            return Lines(tags=plan.tags, values=self._hot.aggregate(plan, request, skip))

    def heard(self, request: Fetch) -> Heard:
        """Return when the series that ``request`` matches were last heard of, its window aside."""
        with self._lock:
            return heard_of(self._hot.plan(request), self._senders, self._hot.blocks)

    def newest_ms(self, request: Fetch) -> int:
        """Return the end of the newest step in which any series that matches has a value, or 0."""
        with self._lock:
            series = self._hot.plan(request).series
            seen = self._hot.blocks.arrays.seen[series]
            return int(seen.max(initial=0)) * self.step_ms

    def take_news(self) -> News:
        """Return what was written since the last call; for one reader alone."""
        with self._lock:
            return take_news(self._hot.blocks, self._hot.series.top)

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        with self._lock:
            return self._hot.keys(query)

    def values(self, key: str, query: Query) -> list[str]:
        """Return the values of ``key`` among series that match, sorted."""
        with self._lock:
            return self._hot.values(key, query)

    def value_counts(self, key: str, query: Query) -> dict[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        with self._lock:
            return self._hot.value_counts(key, query)

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag, counted over ``most`` of them."""
        with self._lock:
            series, rows, texts = self._hot.tag_rows(query, most)
        # Counting takes long: outside of the lock, so that writers need not wait for it.
        return TagCounts(series=series, counted=len(rows), tags=counted(rows.pairs, texts))

    def _check_window(self, request: Fetch) -> None:
        window = request.window
        if window.step_ms % self.step_ms or window.start_ms % window.step_ms:
            raise QueryError(
                f"the step, {window.step_ms} ms, must be a multiple of {self.step_ms} ms, and the "
                f"start, {window.start_ms}, a multiple of the step",
                kind="IllegalArgumentException",
            )

    def _check_size(self, lines: int, columns: int) -> None:
        if lines * columns > self._limits.max_fetch_values:
            raise QueryError(
                f"{lines} lines x {columns} columns exceed {self._limits.max_fetch_values} values; "
                "narrow the query, group by fewer keys or take a larger step",
                kind="IllegalArgumentException",
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold back the reuse of pages while a kernel reads them."""
        with self._lock:
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1


def _refusals(resolved: Resolved, counts: NDArray[np.int_] | IndexArray) -> list[Rejection]:
    """Return one rejection a refused series; ``counts`` says how many samples each row has."""
    return [
        Rejection(reason=r.reason, detail=r.detail, tags=r.tags, count=int(counts[at]))
        for at, r in resolved.refused.items()
        if counts[at]
    ]
