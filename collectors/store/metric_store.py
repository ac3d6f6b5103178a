"""The metric store: a writer for receivers and a database for expressions."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from collectors.clock import Clock
from collectors.errors import QueryError, StorageError
from collectors.model import Batch, FloatArray, IndexArray, IntArray, Receipt, Rejection
from collectors.stacklang.database import Fetch, Lines
from collectors.stacklang.query import Query
from collectors.store import records
from collectors.store.admission import Admission, Resolved, identities_of
from collectors.store.checkpoint import CheckpointFiles, take_snapshot
from collectors.store.checkpointer import Checkpointer
from collectors.store.hot_tier import HotTier
from collectors.store.journal import FileJournal, Journal
from collectors.store.limits import StoreLimits
from collectors.store.wire.label_table import LabelTable
from collectors.store.wire.remote_body import RemoteBody, decode_body

_LOG = structlog.get_logger(__name__)


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
        self, path: Path, *, step_ms: int, hot_window_ms: int, clock: Clock, limits: StoreLimits
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._readers = 0
        self._hot = HotTier(step_ms=step_ms, hot_window_ms=hot_window_ms, limits=limits)
        self._admission = Admission(self._hot.series, limits, self._hot.blocks.max_series, clock)
        self._labels = LabelTable(self._hot.series.incarnation)
        self._label_seed = secrets.randbits(63)
        self._log = FileJournal.open(path / "log")
        self._journal = FileJournal.open(path / "journal", keep_bytes=limits.journal_bytes)
        self._checkpoints = CheckpointFiles(path / "checkpoint", step_ms)
        self._restore()
        self._checkpointer = Checkpointer(self.checkpoint)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        step_ms: int,
        hot_window_ms: int,
        clock: Clock,
        limits: StoreLimits | None = None,
    ) -> MetricStore:
        """Open the store in ``path``, creating it if needed, and replay its log."""
        path.mkdir(parents=True, exist_ok=True)
        return cls(
            path,
            step_ms=step_ms,
            hot_window_ms=hot_window_ms,
            clock=clock,
            limits=limits or StoreLimits(),
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
        with self._lock:
            segment = self._log.roll()
            snapshot = take_snapshot(self._hot, segment)
        try:
            self._checkpoints.save(snapshot)
        except StorageError:
            with self._lock:
                self._hot.blocks.mark_dirty(snapshot.blocks)
            raise
        self._log.trim(segment)

    def check(self) -> list[str]:
        """Read back what is on disk; return a sentence for each damaged part."""
        return self._checkpoints.check()

    def close(self) -> None:
        """Write a last checkpoint and release the files."""
        self._checkpointer.close()
        self.checkpoint()
        self._log.close()
        self._journal.close()

    # -- writing ---------------------------------------------------------------------------------

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``: logged, then visible. Samples outside the time bounds are refused."""
        identities = identities_of(batch.series)
        with self._lock:
            resolved = self._admission.resolve(batch.series, identities)
            ids = np.array(resolved.ids, dtype=np.int32)
            return self._keep(resolved, ids, batch.series_index, batch.time_ms, batch.value)

    def write_remote(self, body: bytes) -> Receipt:
        """Keep a snappy-compressed Prometheus remote-write 1.0 body.

        Raises:
            DecodeError: The body is not what the protocol says.
            TooLargeError: It is too large after decompression.
        """
        remote = decode_body(body, max_bytes=self._limits.max_body_bytes, seed=self._label_seed)
        columns = remote.columns
        row = np.repeat(np.arange(len(columns.samples), dtype=np.int32), columns.samples)
        with self._lock:
            ids, missing = self._labels.find(columns.hash)
            resolved = self._resolve_labels(remote, ids) if missing else Resolved([])
            receipt = self._keep(resolved, ids, row, columns.time_ms, columns.bits.view(np.float64))
            if missing:
                self._remember_labels(remote, ids, resolved)
        return receipt

    def _resolve_labels(self, remote: RemoteBody, ids: IndexArray) -> Resolved:
        """Decode labels that are new on the wire; fill in their ids."""
        rows = np.flatnonzero(ids < 0).tolist()
        tags = [remote.tags(row) for row in rows]
        resolved = self._admission.resolve(tags, identities_of(tags))
        ids[rows] = resolved.ids
        resolved.refused = {rows[i]: refusal for i, refusal in resolved.refused.items()}
        resolved.rows = rows
        return resolved

    def _remember_labels(self, remote: RemoteBody, ids: IndexArray, resolved: Resolved) -> None:
        rows = np.array([row for row in resolved.rows if ids[row] >= 0], dtype=np.int64)
        self._labels.insert(remote.columns.hash[rows], ids[rows])

    def _keep(
        self,
        resolved: Resolved,
        ids: IndexArray,
        row: IndexArray,
        time_ms: IntArray,
        value: FloatArray,
    ) -> Receipt:
        """Log, register and apply samples; ``ids[row]`` is a sample's series."""
        timely, rejected = self._check_times(time_ms)
        series = ids[row]
        keep = timely & (series >= 0)
        if not keep.all():
            rejected += _refusals(resolved, row[timely], len(ids))
            series, time_ms, value = series[keep], time_ms[keep], value[keep]
        self._log_batch(resolved, series, time_ms, value)
        for number, identity, tags in resolved.new:
            self._hot.register(number, identity, tags)
        if self._hot.apply(series, time_ms, value):
            self._advance()
        return Receipt(accepted=len(series), rejected=rejected)

    def _log_batch(
        self, resolved: Resolved, series: IndexArray, time_ms: IntArray, value: FloatArray
    ) -> None:
        entries = []
        if resolved.new:
            new = records.encode_series((i, tags) for i, _, tags in resolved.new)
            entries.append((records.SERIES, new))
        if len(series):
            entries.append((records.SAMPLES, records.encode_samples(series, time_ms, value)))
        if entries:
            self._log.append_all(entries)
            if self._log.size_since_roll >= self._limits.checkpoint_log_bytes:
                self._checkpointer.request()

    def _advance(self) -> None:
        """After the ring moved on: forget what left it, reuse pages that nobody reads."""
        self._hot.expire()
        if self._readers == 0:
            self._hot.blocks.recycle()

    def _check_times(self, time_ms: IntArray) -> tuple[NDArray[np.bool_], list[Rejection]]:
        """Return which samples are within the hot window and not from the future."""
        now = self._clock.now_ms()
        newest = now + max(self._limits.max_future_ms, self.step_ms)
        oldest = self._hot.oldest_ms(now)
        late, early = time_ms <= oldest, time_ms > newest
        rejected = []
        if late.any():
            detail = f"older than {oldest} ms, the start of the hot window"
            rejected.append(Rejection(reason="dataTooOld", detail=detail, count=int(late.sum())))
        if early.any():
            detail = f"newer than {newest} ms, the clock plus tolerance; check the sender's clock"
            count = int(early.sum())
            rejected.append(Rejection(reason="dataFromFuture", detail=detail, count=count))
        return ~(late | early), rejected

    def _restore(self) -> None:
        """Load the newest checkpoint, then replay the log behind it."""
        self._checkpoints.load(self._hot)
        unknown = 0
        for kind, payload in self._log.records(self._checkpoints.segment):
            if kind == records.SERIES:
                for number, tags in records.decode_series(payload):
                    self._hot.restore(number, tags)
            elif kind == records.SAMPLES:
                unknown += self._hot.apply_known(*records.decode_samples(payload))
            self._hot.blocks.recycle()
        self._hot.series.free_gaps()
        self._hot.expire()
        if unknown:
            _LOG.warning("log holds samples of lost series", samples=unknown)

    # -- reading ---------------------------------------------------------------------------------

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``.

        Raises:
            QueryError: The window does not fit the base step, or the answer would be too large.
        """
        self._check_window(request)
        with self._reading():
            with self._lock:
                plan = self._hot.plan(request)
            self._check_size(len(plan.tags), request.window.steps)
            return Lines(tags=plan.tags, values=self._hot.aggregate(plan, request))

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        with self._lock:
            return self._hot.keys(query)

    def values(self, key: str, query: Query) -> list[str]:
        """Return the values of ``key`` among series that match, sorted."""
        with self._lock:
            return self._hot.values(key, query)

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


def _refusals(resolved: Resolved, row: IndexArray, rows: int) -> list[Rejection]:
    """Return one rejection a refused series, with the number of its samples."""
    counts = np.bincount(row, minlength=rows)
    return [
        Rejection(reason=r.reason, detail=r.detail, tags=r.tags, count=int(counts[at]))
        for at, r in resolved.refused.items()
        if counts[at]
    ]
